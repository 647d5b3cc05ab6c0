import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { currentDocument, generateClient } from '../../../../scripts/generate-client.ts';
import { controlRoutes } from '../../../../src/api/control-app.ts';
import type { ControlServices } from '../../../../src/api/services.ts';
import { OPERATIONS } from '../../../../src/generated/operations.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..', '..');

describe('what is generated', () => {
  it('is in step with the OpenAPI document; otherwise: npm run generate', async () => {
    for (const [path, text] of await generateClient()) {
      expect(readFileSync(join(PROJECT, path), 'utf8'), path).toBe(text);
    }
  });

  it('has every route that answers JSON or nothing', () => {
    const { all: routes } = controlRoutes({} as ControlServices);
    for (const { operationId, method, path } of routes) {
      const operation = Object.entries(OPERATIONS).find(([id]) => id === operationId)?.[1];
      if (operation === undefined) continue;
      expect(operation).toMatchObject({ method, path: path.replaceAll(/:(\w+)/g, '{$1}') });
    }
    const ids = new Set(routes.map(({ operationId }) => operationId));
    for (const id of Object.keys(OPERATIONS)) expect(ids).toContain(id);
    expect(Object.keys(OPERATIONS)).toEqual(expect.arrayContaining(['lookup', 'uploadDetections', 'health']));
  });
});

describe('of a document', () => {
  const operation = (responses: unknown, more = {}) => ({ operationId: 'one', responses, ...more });
  const documentOf = (get: unknown, schemas = {}) => ({ paths: { '/one/{id}': { get } }, components: { schemas } });
  const ok = { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } } };
  const typesOf = async (document: unknown) => (await generateClient(document)).get('src/generated/api-types.ts') ?? '';

  it('parameters stand by their place, and are optional unless required', async () => {
    const parameters = [
      { in: 'path', name: 'id', required: true, description: 'An id', schema: { type: 'string' } },
      { in: 'query', name: 'limit', required: false, description: 'A limit', schema: { type: 'integer' } },
    ];
    const types = await typesOf(documentOf(operation(ok, { parameters }), { A: { type: 'string' } }));
    expect(types.replaceAll(/\s+/g, ' ')).toMatch(
      /path: \{ [^}]* id: string; \}; query\?: \{ [^}]* limit\?: number; \}/,
    );
  });

  it('a value that is only described may be any', async () => {
    const schema = { type: 'object', properties: { input: { description: 'As sent' } }, required: ['input'] };
    expect(await typesOf(documentOf(operation(ok), { A: schema }))).toContain('input: unknown;');
  });

  it('an operation that answers no JSON is left out', async () => {
    const idsOf = async (responses: unknown) =>
      (await generateClient(documentOf(operation(responses), { A: { type: 'string' } }))).get(
        'src/generated/operations.ts',
      );
    expect(await idsOf({ 200: { content: { 'text/html': { schema: { type: 'string' } } } } })).not.toContain('one:');
    expect(await idsOf({ 200: { description: 'Bytes' }, 304: {} })).not.toContain('one:');
    expect(await idsOf({ ...ok, 304: {} })).toContain('answers: [200] ');
    expect(await idsOf({ 204: {} })).toContain('answers: [204] ');
  });

  it('that is none is refused', async () => {
    await expect(generateClient({ paths: {} })).rejects.toThrow('components');
    expect(currentDocument()).toHaveProperty('openapi', '3.1.0');
  });
});
