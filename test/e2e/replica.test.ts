/** A replica in another Worker, made by docs/REPLICA.md alone, and the origin that it follows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { slicesOf } from '../../src/replica/contents.ts';
import { type FeedManifest, parseFeedManifest } from '../../src/replica/feed-manifest.ts';
import { fictionNumber } from '../support/detections.ts';
import { call, send } from './call.ts';
import { type LocalServer, startServer } from './local-server.ts';
import { type CountingProxy, startProxy } from './replica/counting-proxy.ts';
import { keyRequest, PROBE_PATH, PROBED, typeErrors, writeProject } from './replica/document.ts';
import { type DevWorker, startDevWorker } from './replica/wrangler-dev.ts';

/** Bought in blocks. What is not in a numbering plan is rejected by the upload, and refused by both lookups. */
const LISTED = Array.from({ length: 6000 }, (_, i) => 639_170_000_000 + Math.floor(i / 4) * 137 + ((i * 13) % 61));
/** So many that a small merge leaves them as they are, and makes a run of its own (`inlineRecords`). */
const BULK = Array.from({ length: 135_000 }, (_, i) => 639_280_000_000 + i * 17);
const UPLOAD = 70_000;
/** Neighbours count for suspicion only while they are fresh. */
const NOW = Date.now();
const DAY_MS = 86_400_000;
const LATER = Array.from({ length: 40 }, (_, i) => fictionNumber(1200 + i));
const ALLOWED = LISTED[0] ?? 0;
const BLOCKED = fictionNumber(1299);
const PROBES = [
  ...LISTED.slice(0, 2500),
  ...LISTED.slice(2500, 4000).map((number) => number + 61),
  ...Array.from({ length: 900 }, (_, i) => 639_270_000_000 + i * 991),
  ...Array.from({ length: 200 }, (_, i) => fictionNumber(1100 + i)),
].map((number) => `+${number}`);
/** In a hundred of LISTED, and not of it. */
const SUSPECT = 639_170_000_099;
const SIGN_UPS = [SUSPECT, ...LISTED.slice(0, 12), ...LATER.slice(0, 4), BLOCKED, 639_270_000_000, 12_025_550_100];
const BATCH = 1000;
const START_LIMIT_MS = 120_000;

const POLICY = {
  rules: [
    { id: 'abroad', when: 'country == "PH" && scenario == "payout"', action: 'flag', mode: 'shadow' },
    { id: 'listed', when: 'verdict == "listed"', action: 'block', mode: 'enforce' },
    { id: 'near', when: 'neighbourhood.hundred > 0', action: 'challenge', mode: 'enforce' },
  ],
  default: 'allow',
};

interface Answer {
  readonly verdict?: string;
  readonly action?: string | null;
  readonly generation?: number;
  readonly stale?: boolean;
  readonly override?: object;
}

type Result =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly detail: string };

const folder = mkdtempSync(join(tmpdir(), 'ringfence-replica-'));
const project = join(folder, 'project');
let origin: LocalServer;
let proxy: CountingProxy;
let replica: DevWorker;
let key: string;
let tenant: string;

function put(path: string, body: unknown): Promise<unknown> {
  return call(`${origin.url}${path}?tenant=${tenant}`, { method: 'PUT', body });
}

async function upload(numbers: readonly number[], label: string): Promise<void> {
  await origin.call(
    '/v1/detections',
    numbers.map((number, i) => ({
      number: `+${number}`,
      observedAt: new Date(NOW - (1 + (i % 20)) * DAY_MS).toISOString(),
      label,
      channel: i % 3 === 0 ? 'otp_marketplace' : 'public_receiver',
    })),
  );
}

/** Past the counting proxy. */
async function manifest(): Promise<FeedManifest & { readonly sizeBytes: number }> {
  const response = await fetch(`${origin.url}/v1/feed/manifest`, { headers: { authorization: `Bearer ${key}` } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { ...parseFeedManifest(bytes), sizeBytes: bytes.length };
}

async function inBatches<T>(ask: (numbers: readonly string[]) => Promise<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let from = 0; from < PROBES.length; from += BATCH) all.push(...(await ask(PROBES.slice(from, from + BATCH))));
  return all;
}

async function originAnswers(lookupKey: string): Promise<unknown[]> {
  return inBatches(async (numbers) => {
    const body = { numbers, scenario: 'payout' };
    const { json } = await send(`${origin.url}/v1/lookup/batch`, { key: lookupKey, body });
    return json.results as unknown[];
  });
}

async function replicaResults(): Promise<Result[]> {
  return inBatches(async (numbers) => {
    const body = JSON.stringify({ numbers, scenario: 'payout' });
    const response = await fetch(replica.url + PROBE_PATH, { method: 'POST', body });
    return ((await response.json()) as { readonly results: Result[] }).results;
  });
}

/** Fires the documented cron handler; the report that it logs. */
async function sync(): Promise<unknown> {
  const before = replica.events().length;
  expect(await replica.cron()).toBe('ok');
  // The log comes on its own way.
  return vi.waitFor(() => {
    const [report] = replica.events().slice(before);
    if (report === undefined) throw new Error('expected a report in the log');
    return report;
  }, 5000);
}

/** As the origin's batch has them. */
async function replicaAnswers(): Promise<unknown[]> {
  return (await replicaResults()).map((result, i) =>
    result.ok ? result.answer : { input: PROBES[i], error: { code: result.code, detail: result.detail } },
  );
}

/** What the documented Worker answers to a sign-up. */
async function signUp(number: number): Promise<string> {
  const body = new URLSearchParams({ phone: `+${number}` });
  const response = await fetch(replica.url, { method: 'POST', body });
  const text = await response.text();
  return response.status === 200 ? text : (JSON.parse(text) as { readonly code: string }).code;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  allow: 'welcome',
  flag: 'welcome',
  challenge: 'challenge-required',
  block: 'request-refused',
};

let expected: unknown[];
/** By number, what sign-ups must come to, by the origin's own lookups. */
let outcomes: Map<number, string>;
let lookupKey: string;

async function askOrigin(): Promise<void> {
  expected = await originAnswers(lookupKey);
  outcomes = new Map();
  for (const number of SIGN_UPS) {
    const { json } = await send(`${origin.url}/v1/lookup`, { key: lookupKey, body: { number: `+${number}` } });
    const { action } = json as Answer;
    outcomes.set(number, OUTCOMES[action ?? ''] ?? 'none');
  }
}

async function signUps(): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const number of SIGN_UPS) found.set(number, await signUp(number));
  return found;
}

/** The documented Worker lets through what has no answer within 500 ms: on a busy machine the first may. */
async function expectSameSignUps(): Promise<void> {
  await vi.waitFor(async () => expect(await signUps()).toEqual(outcomes), { timeout: 10_000, interval: 200 });
}

function kindsOf(answers: readonly unknown[]): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const { verdict = 'invalid' } of answers as readonly Answer[]) kinds[verdict] = (kinds[verdict] ?? 0) + 1;
  return kinds;
}

beforeAll(async () => {
  origin = await startServer(join(folder, 'origin'), ['--empty']);
  proxy = await startProxy(() => origin.url);
  const request = keyRequest() as { readonly tenant: string };
  tenant = request.tenant;
  ({ key } = (await origin.call('/v1/keys', request)) as { readonly key: string });
  const lookup = { name: 'lookup', scopes: ['lookup'], tenant };
  ({ key: lookupKey } = (await origin.call('/v1/keys', lookup)) as { readonly key: string });
  writeProject(project, { ORIGIN: proxy.url, FEED_KEY: key });
  const listed = [...LISTED, ...BULK];
  for (let from = 0; from < listed.length; from += UPLOAD) {
    await upload(listed.slice(from, from + UPLOAD), 'modem_pool_card');
  }
  await origin.tick();
  await put('/v1/policy', POLICY);
  await put('/v1/overrides', { number: `+${ALLOWED}`, list: 'allow', reason: 'our own handset' });
  await put('/v1/overrides', {
    number: `+${BLOCKED}`,
    list: 'block',
    reason: 'abuse',
    expiresAt: '2999-01-01T00:00:00Z',
  });
  replica = await startDevWorker(project, PROBED);
}, START_LIMIT_MS);

afterAll(async () => {
  await Promise.allSettled([replica?.stop(), proxy?.cut(), origin?.stop()]);
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

/** Each goes on where the one before has left the two. */
describe('a Worker made by the document', { timeout: 30_000 }, () => {
  test('type-checks', () => {
    expect(typeErrors(project)).toBe('');
  });

  test('before the first sync calls nobody clear', async () => {
    const results = await replicaResults();
    const codes = new Set(results.map((result) => (result.ok ? result.answer.verdict : result.code)));
    codes.delete('invalid-number');
    expect([...codes]).toEqual(['storage-unavailable']);
    // By the document: withRingfence does what its onError says, and that lets through.
    expect(await signUp(ALLOWED + 13)).toBe('welcome');
    expect(proxy.taken()).toEqual([]);
  });

  test('after a sync answers as the origin does, field by field, and asks nobody', async () => {
    const feed = await manifest();
    const report = await sync();
    const named = [...slicesOf(feed).values()];
    const exchanges = proxy.taken();
    expect(exchanges.map(({ path }) => path).sort()).toEqual(
      ['/v1/feed/manifest', ...named.map(({ path }) => `/v1/feed/${path}`)].sort(),
    );
    const slices = exchanges.filter(({ path }) => path !== '/v1/feed/manifest');
    expect(report).toEqual({
      event: 'sync',
      generation: feed.generation,
      unchanged: false,
      complete: true,
      slicesDownloaded: named.length,
      bytesDownloaded: slices.reduce((sum, { bytes }) => sum + bytes, 0),
      manifestBytes: feed.sizeBytes,
      slicesKept: 0,
    });

    await askOrigin();
    expect(await replicaAnswers()).toEqual(expected);
    await expectSameSignUps();
    // The comparison is worth something only if every kind of answer is there.
    const kinds = kindsOf(expected);
    for (const kind of ['listed', 'suspect', 'clear']) expect(kinds[kind], kind).toBeGreaterThan(100);
    expect([...new Set(outcomes.values())].sort()).toEqual(['challenge-required', 'request-refused', 'welcome']);
    expect([outcomes.get(ALLOWED), outcomes.get(BLOCKED)]).toEqual(['welcome', 'request-refused']);
    expect(proxy.taken()).toEqual([]);
  });

  test('without news sends one request, and gets no body', async () => {
    const report = await sync();
    expect(proxy.taken()).toEqual([{ path: '/v1/feed/manifest', status: 304, bytes: 0 }]);
    expect(report).toMatchObject({ unchanged: true, slicesDownloaded: 0, manifestBytes: 0 });
  });

  test('after a merge downloads what it changed and nothing else', async () => {
    const before = await manifest();
    await upload(LATER, 'public_sms_receiver');
    await origin.tick();
    const feed = await manifest();
    expect(feed.generation).toBeGreaterThan(before.generation);
    const changed = [...slicesOf(feed).values()].filter(({ sha256 }) => !slicesOf(before).has(sha256));
    const report = await sync();
    const exchanges = proxy.taken();
    expect(exchanges.map(({ path, bytes }) => `${path} ${bytes}`).sort()).toEqual(
      [`/v1/feed/manifest ${feed.sizeBytes}`, ...changed.map(({ path, bytes }) => `/v1/feed/${path} ${bytes}`)].sort(),
    );
    const bytesDownloaded = changed.reduce((sum, { bytes }) => sum + bytes, 0);
    const slicesKept = slicesOf(feed).size - changed.length;
    const counts = { slicesDownloaded: changed.length, bytesDownloaded, slicesKept };
    expect(report).toMatchObject({ ...counts, generation: feed.generation });
    expect(changed).toHaveLength(1);
    const allBytes = [...slicesOf(feed).values()].reduce((sum, { bytes }) => sum + bytes, 0);
    expect(bytesDownloaded).toBeLessThan(allBytes / 100);

    await askOrigin();
    expect(await replicaAnswers()).toEqual(expected);
    await expectSameSignUps();
    expect(LATER.slice(0, 4).map((number) => outcomes.get(number))).toEqual(Array(4).fill('request-refused'));
  });

  test('follows an override at the next sync', async () => {
    await put('/v1/overrides', { number: `+${LATER[0]}`, list: 'allow', reason: 'complained' });
    const { config } = await manifest();
    await sync();
    expect(proxy.taken().map(({ path }) => path)).toEqual(['/v1/feed/manifest', `/v1/feed/slices/${config.sha256}`]);
    await askOrigin();
    expect(await replicaAnswers()).toEqual(expected);
    expect(await signUp(LATER[0] ?? 0)).toBe('welcome');
  });

  test('goes on when the origin is down', async () => {
    await Promise.all([origin.stop(), proxy.cut()]);
    expect(await replica.cron()).not.toBe('ok');
    expect(await replicaAnswers()).toEqual(expected);
    await expectSameSignUps();
  });

  test('started anew, answers from its bucket without a sync', async () => {
    await replica.stop();
    replica = await startDevWorker(project, PROBED);
    expect(await replicaAnswers()).toEqual(expected);
    await replica.stop();
    // As it is in the document, without the probe.
    replica = await startDevWorker(project);
    await expectSameSignUps();
    // Without a form there is no number to check, and what is no number is blocked.
    expect(await (await fetch(replica.url + PROBE_PATH)).json()).toMatchObject({ code: 'request-refused' });
    expect(replica.events()).toEqual([]);
  });
});
