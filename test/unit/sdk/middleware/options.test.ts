import { describe, expect, it } from 'vitest';
import { type CheckOptions, createCheck } from '../../../../src/sdk/middleware/check.ts';
import { withRingfence } from '../../../../src/sdk/middleware/fetch.ts';
import { ringfence as forHono } from '../../../../src/sdk/middleware/hono.ts';
import { ringfence as forItty } from '../../../../src/sdk/middleware/itty-router.ts';
import { CLEAR, FakeSource, KEY } from './support.ts';

const from = new FakeSource(CLEAR);
const source = { url: 'https://ringfence.example', key: KEY };
const handler = () => new Response();

/** Options of JavaScript, or from an environment: what the types refuse does come. */
const BAD: readonly [option: string, options: Record<string, unknown>][] = [
  ['from', {}],
  ['from', { from: null }],
  ['from', { from: 'https://ringfence.example' }],
  ['from', { from: { url: undefined, key: KEY } }],
  ['from.url', { from: { ...source, url: 'ringfence.example' } }],
  ['from.url', { from: { ...source, url: 'ftp://ringfence.example' } }],
  ['from.url', { from: { ...source, url: `https://user:${KEY}@ringfence.example` } }],
  ['from.url', { from: { ...source, url: 'https://ringfence.example/?a=b' } }],
  ['from.url', { from: { ...source, url: 'https://ringfence.example/#a' } }],
  ['from.key', { from: { url: source.url } }],
  ['from.key', { from: { ...source, key: '' } }],
  ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, 60_001, 2 ** 31, 'soon', null].map(
    (timeoutMs): [string, Record<string, unknown>] => ['timeoutMs', { from, timeoutMs }],
  ),
  ['onError', { from, onError: 'open' }],
  ['onBadNumber', { from, onBadNumber: 'challenge' }],
  ['dryRun', { from, dryRun: 'false' }],
  ['turnstile.secret', { from, turnstile: {} }],
  ['turnstile.secret', { from, turnstile: { secret: '' } }],
];
const BAD_FOR_A_REQUEST: typeof BAD = [
  ['number', { from }],
  ['number', { from, number: 'phone' }],
  ['country', { from, number: () => null, country: 63 }],
  ['scenario', { from, number: () => null, scenario: {} }],
  ['onBlock', { from, number: () => null, onBlock: new Response() }],
  ['onChallenge', { from, number: () => null, onChallenge: 'pass' }],
  ['onResult', { from, number: () => null, onResult: {} }],
  ['turnstile.token', { from, number: () => null, turnstile: { secret: 'widget', token: 1 } }],
];

describe('options that are not usable throw at set-up, and say what was expected', () => {
  it.each(BAD)('%s of %j', (option, options) => {
    expectRefusal(option, () => createCheck(options as unknown as CheckOptions));
  });

  const SETUPS: readonly [string, (options: never) => unknown][] = [
    ['hono', forHono],
    ['itty-router', forItty],
    ['fetch', (options) => withRingfence(options, handler)],
  ];
  describe.each(SETUPS)('%s', (_name, setUp) => {
    it.each([
      ...BAD.map(([option, rest]): (typeof BAD)[number] => [option, { number: () => null, ...rest }]),
      ...BAD_FOR_A_REQUEST,
    ])('%s of %j', (option, options) => {
      expectRefusal(option, () => setUp(options as never));
    });
  });

  it('a handler that is none', () => {
    expectRefusal('handler', () => withRingfence({ from, number: () => null }, undefined as unknown as typeof handler));
  });
});

it.each([1, 60_000, 0.5 + 1])('timeoutMs may be %d', (timeoutMs) => {
  expect(createCheck({ from, timeoutMs })).toBeTypeOf('function');
});

it.each(['http://localhost:8787', 'https://ringfence.example/', 'https://example.com/risk'])('url may be %s', (url) => {
  expect(createCheck({ from: { url, key: KEY } })).toBeTypeOf('function');
});

/** The message names the option and what it should be, but gives nothing away of what it was. */
function expectRefusal(option: string, setUp: () => unknown): void {
  expect(setUp).toThrow(new RegExp(`^ringfence: ${option.replace('.', '\\.')}: expected [^]+$`));
  try {
    setUp();
  } catch (error) {
    expect(String(error)).not.toContain(KEY);
  }
}
