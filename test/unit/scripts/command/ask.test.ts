/** What is asked of a server, and what is told of a refusal: never the query, which may hold a number. */
import { afterEach, expect, test, vi } from 'vitest';
import { askJson } from '../../../../scripts/command/ask.ts';

const asked: Request[] = [];

function answering(status: number, body: object): void {
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    asked.push(new Request(url, init));
    return Response.json(body, { status });
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
  asked.length = 0;
});

test('a key and JSON are sent by POST, and the answer is handed on', async () => {
  answering(201, { key: 'rf_new' });
  expect(await askJson('http://ringfence.example/v1/keys', { key: 'rf_a', json: { name: 'x' } })).toEqual({
    key: 'rf_new',
  });
  const [request] = asked;
  expect(request?.method).toBe('POST');
  expect(request?.headers.get('authorization')).toBe('Bearer rf_a');
  expect(request?.headers.get('content-type')).toBe('application/json');
  expect(await request?.json()).toEqual({ name: 'x' });
});

test('without JSON it is a GET, with the headers that are given', async () => {
  answering(200, { generation: 1 });
  await askJson('http://ringfence.example/v1/status', { headers: { accept: 'application/json' } });
  expect(asked[0]?.method).toBe('GET');
  expect(asked[0]?.headers.get('accept')).toBe('application/json');
  expect(asked[0]?.headers.has('authorization')).toBe(false);
});

test('a refusal is told by path and status, without the query', async () => {
  answering(403, { detail: 'the key lacks the scope "admin"' });
  const refused = askJson('http://ringfence.example/v1/lookup?number=%2B12025550123');
  await expect(refused).rejects.toThrow('/v1/lookup: the server answers 403: the key lacks the scope "admin"');
  await expect(refused).rejects.not.toThrow('12025550123');
});
