import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchBriefing, headlineText, parseOptions } from '../../../scripts/briefing.ts';
import { BRIEFING_EXAMPLE } from '../../../src/api/briefings.ts';
import { ADMIN_KEY, Harness } from '../api/harness.ts';

const DATES = ['2025-05-16', '2025-05-30'];
const EMPTY = mkdtempSync(join(tmpdir(), 'briefing-'));
const options = (args: readonly string[], key: string | undefined = ADMIN_KEY) =>
  parseOptions(args, { RINGFENCE_KEY: key }, EMPTY);

function request(...args: string[]) {
  const parsed = options([...DATES, ...args]);
  if (parsed === null) throw new Error('expected a request');
  return parsed;
}

describe('options', () => {
  it('have defaults', () => {
    expect(request()).toEqual({
      from: '2025-05-16',
      to: '2025-05-30',
      url: 'http://127.0.0.1:8787',
      key: ADMIN_KEY,
      format: 'html',
      path: 'briefing-2025-05-16-2025-05-30.html',
    });
    expect(request('--format', 'md').path).toBe('briefing-2025-05-16-2025-05-30.md');
    expect(request('--out', 'x.html', '--key', 'k')).toMatchObject({ path: 'x.html', key: 'k' });
    expect(options(['--help'])).toBeNull();
  });

  it.each([
    [['2025-05-16'], /two dates/],
    [['2025-05-16', '2025-05-30', 'x'], /two dates/],
    [['2025-5-16', '2025-05-30'], /FROM: expected a date/],
    [['2025-05-16', '2025-05-32'], /TO: expected a date/],
    [['2025-05-16', '2025-05-15'], /not before FROM/],
    [['2024-01-01', '2025-01-01'], /at most 366 days/],
    [[...DATES, '--format', 'pdf'], /--format/],
    [[...DATES, '--url', 'here'], /--url/],
    [[...DATES, '--colour'], /--colour/],
  ])('%j are refused', (args, message) => {
    expect(() => options(args)).toThrow(message);
  });

  it('find the key of npm start, for this machine only', () => {
    expect(() => parseOptions(DATES, {}, EMPTY)).toThrow(/--key, or RINGFENCE_KEY/);
    const folder = mkdtempSync(join(tmpdir(), 'briefing-'));
    mkdirSync(join(folder, '.ringfence', 'state'), { recursive: true });
    writeFileSync(join(folder, '.ringfence', 'state', 'admin-key'), 'rf_local_key_of_32_characters_or_more\n');
    expect(parseOptions(DATES, {}, folder)?.key).toBe('rf_local_key_of_32_characters_or_more');
    expect(parseOptions(DATES, { RINGFENCE_ADMIN_KEY: ADMIN_KEY }, folder)?.key).toBe(ADMIN_KEY);
    for (const environment of [{}, { RINGFENCE_ADMIN_KEY: ADMIN_KEY }]) {
      expect(() => parseOptions([...DATES, '--url', 'https://elsewhere.example'], environment, folder)).toThrow(
        /--key/,
      );
    }
  });
});

describe('fetching', () => {
  const harness = new Harness();
  const send = async (url: string, init: RequestInit) => harness.app.request(new URL(url).pathname, init);

  it.each(['html', 'md', 'json'])('%s with its figures', async (format) => {
    const { text, briefing } = await fetchBriefing(request('--format', format), send);
    expect(briefing).toEqual(BRIEFING_EXAMPLE);
    expect(text.startsWith({ html: '<!doctype html>', md: '#', json: '{' }[format] ?? '?')).toBe(true);
  });

  it('says what went wrong', async () => {
    await expect(fetchBriefing(request('--key', 'wrong'), send)).rejects.toThrow(
      /answers 401. The key is not known there: give another with --key or RINGFENCE_KEY/,
    );
    const ingest = await harness.keyWith(['ingest']);
    await expect(fetchBriefing(request('--key', ingest), send)).rejects.toThrow(
      /answers 403. The key lacks the scope "lookup"/,
    );
    const down = () => Promise.reject(new TypeError('fetch failed'));
    await expect(fetchBriefing(request(), down)).rejects.toThrow(/no answer from .*npm start/);
    const other = async () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
    await expect(fetchBriefing(request('--format', 'json'), other)).rejects.toThrow(/expected application\/json/);
    const odd = async () => Response.json({ captured: 'many' });
    await expect(fetchBriefing(request('--format', 'json'), odd)).rejects.toThrow(/no briefing/);
  });
});

it('prints of a period that goes on how far its figures go', () => {
  const period = { ...BRIEFING_EXAMPLE.period, complete: false, until: '2025-05-16' };
  expect(headlineText({ ...BRIEFING_EXAMPLE, period }).split('\n')[0]).toBe(
    'period      2025-05-16 to 2025-05-17, 2 days; so far: to 2025-05-16, which is not over',
  );
});

it('prints the headline', () => {
  expect(headlineText(BRIEFING_EXAMPLE)).toBe(
    [
      'period      2025-05-16 to 2025-05-17, 2 days',
      'captured    40',
      'first-time  20 (50.00 %)',
      'inventory   125,849',
      'origins     US/Canada, PH',
      '',
    ].join('\n'),
  );
});
