import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { beforeAll, describe, expect, it } from 'vitest';
import { EDGE_ROUTES } from '../../../src/api/edge-app.ts';
import { EDGE_ROUTE_DOCS } from '../../../src/api/edge-docs.ts';
import { problem, problemsOf } from '../../../src/api/openapi.ts';
import { PROBLEMS } from '../../../src/api/problem.ts';
import { parseNumber } from '../../../src/phone/parse.ts';
import { expectExactly, Harness } from './harness.ts';

type Json = Readonly<Record<string, unknown>>;

const harness = new Harness();
let document: Json;

beforeAll(async () => {
  document = asObject((await harness.call('GET', '/openapi.json', { key: null })).json);
});

function asObject(value: unknown): Json {
  if (typeof value !== 'object' || value === null) throw new Error(`expected an object; found ${String(value)}`);
  return value as Json;
}

/** What a path of names leads to. */
function at(...names: (string | number)[]): unknown {
  return names.reduce<unknown>((value, name) => asObject(value)[name], document);
}

function* values(value: unknown): Generator<unknown> {
  yield value;
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) yield* values(inner);
}

function pathOf(path: string): string {
  return path.replaceAll(/:([a-z]+)/g, '{$1}');
}

it('is OpenAPI 3.1 with what a document must have', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as Json;
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Ringfence', version } });
  expect(Object.keys(document)).toEqual(['openapi', 'info', 'servers', 'paths', 'components']);
});

it('has every route, and itself', () => {
  const operations = Object.entries(asObject(at('paths'))).flatMap(([path, item]) =>
    Object.keys(asObject(item)).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.sort()).toEqual([
    'DELETE /v1/canaries',
    'DELETE /v1/keys/{id}',
    'DELETE /v1/overrides',
    'DELETE /v1/overrides/lost',
    'GET /',
    'GET /docs',
    'GET /docs/{file}',
    'GET /healthz',
    'GET /openapi.json',
    'GET /v1/audit',
    'GET /v1/batches',
    'GET /v1/briefings/{from}/{to}',
    'GET /v1/canaries',
    'GET /v1/feed/manifest',
    'GET /v1/feed/segments/{hash}',
    'GET /v1/feed/slices/{hash}',
    'GET /v1/keys',
    'GET /v1/lookup',
    'GET /v1/overrides',
    'GET /v1/policy',
    'GET /v1/sources',
    'GET /v1/status',
    'POST /v1/batches/{id}/release',
    'POST /v1/batches/{id}/withdraw',
    'POST /v1/detections',
    'POST /v1/keys',
    'POST /v1/lookup',
    'POST /v1/lookup/batch',
    'POST /v1/policy/test',
    'POST /v1/rollback',
    'POST /v1/sources/drop',
    'POST /v1/sources/release',
    'PUT /v1/canaries',
    'PUT /v1/overrides',
    'PUT /v1/policy',
  ]);
});

it('resolves every reference, and leaves no schema unused', () => {
  const references = [...values(document)].flatMap((value) =>
    typeof value === 'object' && value !== null && '$ref' in value ? [String(value.$ref)] : [],
  );
  expect(references.length).toBeGreaterThan(50);
  for (const reference of references) {
    const [root, ...names] = reference.split('/');
    expect(root).toBe('#');
    expect(at(...names), reference).toBeDefined();
  }
  for (const name of Object.keys(asObject(at('components', 'schemas')))) {
    expect(references).toContain(`#/components/schemas/${name}`);
  }
});

it('holds nothing that only JSON Schema of another version has', () => {
  for (const value of values(document)) {
    if (typeof value !== 'object' || value === null) continue;
    for (const keyword of ['nullable', 'definitions', '$defs', '$schema']) expect(value).not.toHaveProperty(keyword);
  }
});

it('has operation ids that are unique', () => {
  const ids = harness.routes.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

it('has the parameters that the edge reads from the query: repeated ones are refused by the same list', () => {
  const inQuery = (parameters: readonly { readonly in: string; readonly name: string }[] = []) =>
    parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  const described = new Map(EDGE_ROUTE_DOCS.map(({ operationId, parameters }) => [operationId, inQuery(parameters)]));
  for (const { operationId, parameters } of EDGE_ROUTES) {
    expect(described.get(operationId), operationId).toEqual(inQuery(parameters));
  }
});

it('has an example for every error code there is', () => {
  const examples = asObject(at('components', 'examples'));
  expect(Object.keys(examples)).toEqual(Object.keys(PROBLEMS));
  for (const example of Object.values(examples)) expectExactly(problem, asObject(example).value);
});

describe.each(harness.routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', (_, route) => {
  const operation = () => asObject(at('paths', pathOf(route.path), route.method.toLowerCase()));

  it('names its scope', () => {
    expect(operation().security).toEqual(route.scope === null ? [] : [{ apiKey: [route.scope] }]);
  });

  it('names every answer and error code with an example', () => {
    const responses = asObject(operation().responses);
    for (const code of problemsOf(route)) {
      expect(responses).toHaveProperty([
        PROBLEMS[code].status,
        'content',
        'application/problem+json',
        'examples',
        code,
        '$ref',
      ]);
    }
    const statuses = [
      ...route.answers.map(({ status }) => status),
      ...problemsOf(route).map((code) => PROBLEMS[code].status),
    ];
    expect(Object.keys(responses).map(Number).sort()).toEqual([...new Set(statuses)].sort());
  });

  it('has examples that fit their schemas', () => {
    for (const { schema, example } of Object.values(route.body ?? {})) {
      expect(v.safeParse(schema, example).issues).toBeUndefined();
    }
    for (const { json } of route.answers) if (json !== undefined) expectExactly(json.schema, json.example);
  });

  it('declares the parameters of its path', () => {
    const declared = (route.parameters ?? []).flatMap(({ in: place, name, required }) =>
      place === 'path' && required === true ? [`:${name}`] : [],
    );
    expect(declared).toEqual(route.path.split('/').filter((part) => part.startsWith(':')));
  });
});

it('shows reserved numbers only', () => {
  const numbers = [...values(document)].flatMap((value) => {
    if (typeof value !== 'string') return [];
    return [...value.matchAll(/\+\d[\d -]{6,}\d/g)].map(([match]) => match);
  });
  expect(numbers.length).toBeGreaterThan(5);
  for (const number of numbers) {
    // The thousand-block of a briefing.
    if (number === '+12025550') continue;
    const parsed = parseNumber(number);
    expect(parsed.ok && String(parsed.value.number)).toMatch(/^1\d{3}55501\d\d$/);
  }
});
