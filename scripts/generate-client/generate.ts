/** The client's generated files, as texts. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import type { ControlServices } from '../../src/api/control-services.ts';
import { openApiDocument } from '../../src/http/openapi.ts';
import { allRoutes } from '../../src/http/routes.ts';
import { PROJECT } from '../command/paths.ts';
import { type JsonSchema, type Operation, readDocument } from './operations.ts';

const BANNER = '/** Written by `npm run generate` from the OpenAPI document; changes made here are lost. */\n';
const COMPONENT = '#/components/schemas/';
/** What the compiler adds of its own, alone and behind a description: of no use to a reader. */
const ONLY_REFERENCED = /\/\*\*\n \* This \w+ was referenced by [^\n]*\n \* via the [^\n]*\n \*\/\n/g;
const ALSO_REFERENCED = / \* ?\n \* This \w+ was referenced by [^\n]*\n \* via the [^\n]*\n/g;

/** Each file's text, by its path in the project. */
export async function generateClient(document: unknown = currentDocument()): Promise<ReadonlyMap<string, string>> {
  const { operations, schemas } = readDocument(document);
  return new Map([
    formatted('src/client/api-types.ts', await typesText(operations, schemas)),
    formatted('src/client/operations.ts', operationsText(operations)),
  ]);
}

/** As GET /openapi.json answers it. The routes are described and not served, so no service is ever asked. */
export function currentDocument(): unknown {
  const document = openApiDocument(allRoutes({} as ControlServices));
  // Without what JSON leaves out.
  return JSON.parse(JSON.stringify(document));
}

async function typesText(
  operations: readonly Operation[],
  schemas: Readonly<Record<string, JsonSchema>>,
): Promise<string> {
  const root = {
    type: 'object',
    description: 'By operation: what it takes, and what it answers.',
    properties: Object.fromEntries(operations.map(({ id, schema }) => [id, schema])),
    required: operations.map(({ id }) => id),
    additionalProperties: false,
    definitions: schemas,
  };
  const text = await compile(prepared(root), 'OperationTypes', {
    bannerComment: BANNER,
    additionalProperties: false,
    // Otherwise a list of at most 1,000 becomes a choice of tuples.
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
    unknownAny: true,
    format: false,
  });
  return text.replaceAll(ONLY_REFERENCED, '').replaceAll(ALSO_REFERENCED, '');
}

function operationsText(operations: readonly Operation[]): string {
  const rows = operations.map(
    ({ id, method, path, answers }) => `${id}: ${JSON.stringify({ method, path, answers })},\n`,
  );
  return `${BANNER}import type { OperationTypes } from './api-types.ts';

export interface Operation {
  readonly method: string;
  /** Parts in braces are filled in: \`/v1/keys/{id}\`. */
  readonly path: string;
  /** Statuses whose body is the answer; any other is a problem. */
  readonly answers: readonly number[];
}

export const OPERATIONS: Readonly<Record<keyof OperationTypes, Operation>> = {\n${rows.join('')}};\n`;
}

/**
 * As the compiler reads schemas: named ones under `definitions`, and one that only has a description, which allows any
 * value, said to be `unknown` (it would be taken for an object).
 */
function prepared(schema: object): JSONSchema {
  return JSON.parse(JSON.stringify(schema), (_, value: unknown) => {
    if (typeof value === 'string')
      return value.startsWith(COMPONENT) ? value.replace(COMPONENT, '#/definitions/') : value;
    return isOnlyDescribed(value) ? { ...value, tsType: 'unknown' } : value;
  }) as JSONSchema;
}

function isOnlyDescribed(value: unknown): value is { readonly description: string } {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.entries(value);
  return entries.length === 1 && entries.every(([name, text]) => name === 'description' && typeof text === 'string');
}

/** In the project's style, so that what is generated is checked like what is written. */
function formatted(path: string, text: string): [string, string] {
  const biome = join(PROJECT, 'node_modules', '.bin', 'biome');
  const inStyle = execFileSync(biome, ['format', `--stdin-file-path=${path}`], {
    cwd: PROJECT,
    input: text,
    encoding: 'utf8',
  });
  return [path, inStyle];
}
