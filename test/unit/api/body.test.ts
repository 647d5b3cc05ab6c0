/** Bodies of JSON that say something twice: which of the two is meant would be a guess. */
import { describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

const A = '+12025550123';
const B = '+12025550124';
const RULE = '"id":"a","when":"true","action":"allow","action":"block"';

describe('a field twice in a body', () => {
  it.each([
    ['POST', '/v1/lookup', `{"number":"${A}","number":"${B}"}`, 'number'],
    ['POST', '/v1/lookup', `{"number":"${A}","n\\u0075mber":"${A}"}`, 'number'],
    ['POST', '/v1/lookup', `{"number":"${A}","${B}":1,"${B}":2}`, 'a field'],
    ['POST', '/v1/lookup/batch', `{"numbers":["${A}"],"numbers":["${B}"]}`, 'numbers'],
    ['PUT', '/v1/overrides', `{"number":"${A}","list":"allow","list":"block","reason":"x"}`, 'list'],
    ['PUT', '/v1/canaries', `{"number":"${A}","number":"${B}"}`, 'number'],
    ['PUT', '/v1/policy', `{"rules":[{${RULE}}],"default":"allow"}`, 'action'],
    ['POST', '/v1/policy/test', `{"numbers":["${A}"],"policy":{"rules":[{${RULE}}]}}`, 'action'],
    ['POST', '/v1/keys', '{"name":"x","scopes":["lookup"],"scopes":["admin"]}', 'scopes'],
    ['POST', '/v1/rollback', '{"generation":1,"generation":2}', 'generation'],
    ['POST', '/v1/sources/release', '{"source":"a","source":"b"}', 'source'],
    ['POST', '/v1/sources/drop', '{"source":"a","source":"b"}', 'source'],
  ])('%s %s', async (method, path, body, field) => {
    const harness = new Harness();
    const { status, code, json, text } = await harness.call(method, path, { body });
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ detail: `${field}: expected once; found twice`, field });
    expect(text).not.toContain('2025550');
    expect(harness.objects.puts).toBe(0);
  });

  it('is none in two objects, or in a text', async () => {
    const harness = new Harness();
    const rule = (id: string) => `{"id":"${id}","when":"true","action":"flag"}`;
    const policy = `{"rules":[${rule('a')},${rule('b')}],"default":"allow"}`;
    expect((await harness.call('PUT', '/v1/policy', { body: policy })).status).toBe(200);
    const lookup = `{"number":"${A}","scenario":"\\"number\\":1"}`;
    expect((await harness.call('POST', '/v1/lookup', { body: lookup })).status).toBe(200);
  });
});
