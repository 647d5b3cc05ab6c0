/**
 * `npm run generate`: writes what the client takes from the OpenAPI document. A test holds the files in step with it.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import * as v from 'valibot';
import { controlRoutes } from '../src/api/control-app.ts';
import { openApiDocument } from '../src/api/openapi.ts';
import type { ControlServices } from '../src/api/services.ts';
import { takesNothing } from './command/arguments.ts';
import { formatted } from './command/formatted.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';

// What the OpenAPI document says of its operations, in the form the client needs: a row for each with its method, path
// and answers, and one JSON Schema of what each takes and answers.

type JsonSchema = Readonly<Record<string, unknown>>;

interface Operation {
  readonly id: string;
  readonly method: string;
  /** As the document writes it: `/v1/keys/{id}`. */
  readonly path: string;
  /** Statuses whose body is the answer; any other is a problem. */
  readonly answers: readonly number[];
  /** Of an object with what there is of `path`, `query`, `headers`, `body`, and `answer`. */
  readonly schema: JsonSchema;
}

const JSON_TYPE = 'application/json';
const NO_CONTENT = '204';
const schema = v.record(v.string(), v.unknown());
const content = v.record(v.string(), v.looseObject({ schema: v.optional(schema) }));
const parameter = v.looseObject({
  in: v.picklist(['path', 'query', 'header']),
  name: v.string(),
  required: v.boolean(),
  description: v.string(),
  schema,
});
const operation = v.looseObject({
  operationId: v.string(),
  parameters: v.optional(v.array(parameter), []),
  requestBody: v.optional(v.looseObject({ content })),
  responses: v.record(v.string(), v.looseObject({ content: v.optional(content) })),
});
const document = v.looseObject({
  paths: v.record(v.string(), v.record(v.string(), operation)),
  components: v.looseObject({ schemas: v.record(v.string(), schema) }),
});

type RawOperation = v.InferOutput<typeof operation>;

const TYPES_FILE = 'api-types.ts';

const PLACES = [
  ['path', 'path'],
  ['query', 'query'],
  ['header', 'headers'],
] as const;

function readDocument(value: unknown): {
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, JsonSchema>>;
} {
  const { paths, components } = v.parse(document, value);
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, raw]) => describe(path, method.toUpperCase(), raw) ?? []),
  );
  return { operations, schemas: components.schemas };
}

/** null for one that answers something else than JSON, such as a page or bytes: that is not for this client. */
function describe(path: string, method: string, raw: RawOperation): Operation | null {
  const answers = Object.entries(raw.responses).filter(([status, { content }]) => isAnswer(status, content));
  const bodies = answers.map(([, { content }]) => content?.[JSON_TYPE]?.schema);
  if (answers.length === 0) return null;
  const parts: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const [place, name] of PLACES) {
    const parameters = raw.parameters.filter((candidate) => candidate.in === place);
    if (parameters.length === 0) continue;
    const object = objectOf(parameters);
    parts[name] = object;
    if (object.required.length > 0) required.push(name);
  }
  if (raw.requestBody !== undefined) {
    parts.body = union(Object.values(raw.requestBody.content).map((media) => media.schema));
    required.push('body');
  }
  parts.answer = union(bodies);
  required.push('answer');
  return {
    id: raw.operationId,
    method,
    path,
    answers: answers.map(([status]) => Number(status)),
    schema: objectSchema(parts, required),
  };
}

/** JSON, or what has no body by its status. Without a media type another answer is bytes or text. */
function isAnswer(status: string, content: RawOperation['responses'][string]['content']): boolean {
  return content === undefined ? status === NO_CONTENT : JSON_TYPE in content;
}

function objectOf(parameters: RawOperation['parameters']) {
  const properties = Object.fromEntries(
    parameters.map(({ name, description, schema }) => [name, { description, ...schema }]),
  );
  return objectSchema(
    properties,
    parameters.flatMap(({ name, required }) => (required ? [name] : [])),
  );
}

function objectSchema(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]) {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Each of the schemas that there are once. */
function union(schemas: readonly (JsonSchema | undefined)[]): JsonSchema {
  const given = schemas.filter((schema) => schema !== undefined);
  const [first, ...others] = new Map(given.map((schema) => [JSON.stringify(schema), schema])).values();
  if (first === undefined) return { tsType: 'undefined' };
  return others.length === 0 ? first : { anyOf: [first, ...others] };
}

// The client's generated files, as texts.

const BANNER = '/** Written by `npm run generate` from the OpenAPI document; changes made here are lost. */\n';
const COMPONENT = '#/components/schemas/';
/** What the compiler adds of its own, alone and behind a description: of no use to a reader. */
const ONLY_REFERENCED = /\/\*\*\n \* This \w+ was referenced by [^\n]*\n \* via the [^\n]*\n \*\/\n/g;
const ALSO_REFERENCED = / \* ?\n \* This \w+ was referenced by [^\n]*\n \* via the [^\n]*\n/g;

/** Each file's text, by its path in the project. */
export async function generateClient(document: unknown = currentDocument()): Promise<ReadonlyMap<string, string>> {
  const { operations, schemas } = readDocument(document);
  const files = [
    [`src/generated/${TYPES_FILE}`, await typesText(operations, schemas)],
    ['src/generated/operations.ts', operationsText(operations)],
  ] as const;
  return new Map(files.map(([path, text]) => [path, formatted(path, text)]));
}

/** As GET /openapi.json answers it. The routes are described and not served, so no service is ever asked. */
export function currentDocument(): unknown {
  const document = openApiDocument(controlRoutes({} as ControlServices).all);
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
  return `${BANNER}import type { OperationTypes } from './${TYPES_FILE}';

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

const HELP = 'npm run generate writes what the client takes from the OpenAPI document. It takes no options.\n';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    if (takesNothing(process.argv.slice(2), HELP)) return 0;
    for (const [path, text] of await generateClient()) {
      writeFileSync(join(PROJECT, path), text);
      console.log(`${path}: ${text.split('\n').length - 1} lines`);
    }
    return 0;
  });
