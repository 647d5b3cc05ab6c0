import { beforeEach, describe, expect, it } from 'vitest';
import { BRIEFING_EXAMPLE, preferredType } from '../../../src/api/briefings.ts';
import { renderHtml } from '../../../src/briefing/render/html.ts';
import { renderMarkdown } from '../../../src/briefing/render/markdown.ts';
import { parseDay } from '../../../src/lib/time.ts';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { ADMIN_KEY, Harness } from './harness.ts';

const PATH = '/v1/briefings/2025-05-16/2025-05-30';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

/** As a client that is not answered in JSON. */
async function page(accept: string) {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, accept };
  const response = await harness.app.request(PATH, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

it('is JSON unless asked otherwise', async () => {
  for (const headers of [
    {},
    { accept: '*/*' },
    { accept: 'application/json, text/html;q=0.9' },
    { accept: 'image/png' },
  ]) {
    const answer = await harness.call('GET', PATH, { headers });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual(BRIEFING_EXAMPLE);
    expect(answer.headers.get('vary')).toBe('Accept');
  }
  expect(harness.briefings[0]).toEqual({ from: parseDay('2025-05-16'), to: parseDay('2025-05-30') });
});

it('is a page for a browser, with a policy of its own, that no cache keeps', async () => {
  const { status, headers, text } = await page('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8');
  const { html, contentSecurityPolicy } = renderHtml(BRIEFING_EXAMPLE);
  expect([status, text]).toEqual([200, html]);
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy,
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    vary: 'Accept',
  });
});

it('is Markdown', async () => {
  const { headers, text } = await page('text/markdown');
  expect(text).toBe(renderMarkdown(BRIEFING_EXAMPLE));
  expect(headers.get('content-type')).toBe('text/markdown; charset=utf-8');
  expect(headers.get('vary')).toBe('Accept');
});

describe('refuses', () => {
  it.each([
    ['2025-5-16', '2025-05-30', 'from'],
    ['2025-02-30', '2025-05-30', 'from'],
    ['1999-12-31', '2000-01-02', 'from'],
    ['2025-05-16', 'today', 'to'],
    ['2025-05-16', '2025-05-15', 'to'],
    ['2024-01-01', '2025-01-01', 'to'],
    ['2025-06-01', '2025-06-15', 'from'],
    ['2099-01-01', '2099-01-31', 'from'],
    ['9998-12-31', '9999-12-31', 'from'],
    ['2025-05-31', '2026-06-01', 'to'],
  ])('%s to %s', async (from, to, field) => {
    const { status, code, json, text } = await harness.call('GET', `/v1/briefings/${from}/${to}`);
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ field });
    expect(text).not.toContain(field === 'from' ? from : to);
    expect(harness.briefings).toEqual([]);
  });
});

it('takes a single day, a leap year, and days that lie ahead of one that has begun', async () => {
  for (const period of ['2025-05-16/2025-05-16', '2024-01-01/2024-12-31', '2025-05-31/2026-05-31']) {
    expect((await harness.call('GET', `/v1/briefings/${period}`)).status).toBe(200);
  }
});

it('answers 503 while storage does not', async () => {
  harness.failure = new StorageUnavailable('the storage did not answer; try again');
  const { status, code, headers } = await harness.call('GET', PATH, { headers: { accept: 'text/html' } });
  expect([status, code, headers.get('retry-after')]).toEqual([503, 'storage-unavailable', '5']);
});

it('documents three media types', async () => {
  const { json } = await harness.call('GET', '/openapi.json', { key: null });
  const answer = { content: { 'application/json': {}, 'text/markdown': {}, 'text/html': {} } };
  expect(json).toMatchObject({ paths: { '/v1/briefings/{from}/{to}': { get: { responses: { 200: answer } } } } });
});

describe('the preferred type', () => {
  const offered = ['application/json', 'text/markdown', 'text/html'] as const;

  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['text/html', 'text/html'],
    ['text/*', 'text/markdown'],
    ['text/html;q=0.5, text/markdown;q=0.6', 'text/markdown'],
    ['text/html; charset=utf-8; q=1, application/json;q=0.9', 'text/html'],
    ['TEXT/HTML', 'text/html'],
    ['*/*, text/html;q=0.1', 'application/json'],
    ['application/json;q=0, */*', 'text/markdown'],
    ['text/html;q=2, text/markdown;q=x, application/json;q=0.1', 'application/json'],
    ['image/png', 'application/json'],
  ])('of %j is %s', (header, expected) => {
    expect(preferredType(header, offered)).toBe(expected);
  });
});
