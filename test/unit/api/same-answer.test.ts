/**
 * A number has one answer, whichever way it is asked for: in a batch, by POST or by GET, read from storage or found in
 * memory, in one run or in several.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Random } from '../../../bench/support/random.ts';
import { someDetections } from '../../support/detections.ts';
import { tickWithoutCompaction } from '../../support/tick-without-compaction.ts';
import { createWhole, wholeFetch } from '../../support/whole.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const ADMIN_KEY = 'admin-key-of-more-than-32-characters';
const DAY_SECONDS = 86_400;
/** Some numbers are in all of them, and many share a block of 100 or of 1,000. */
const RUNS = 3;
const LABELS = ['modem_pool_card', 'reported_abuse', 'public_sms_receiver', 'o"dd'];

const random = new Random(7);
let world: World;
let listed: readonly number[];

beforeAll(async () => {
  world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  world.clock = Date.now();
  const now = Math.floor(world.clock / 1000);
  const detections = someDetections(RUNS * 100, 1).map((one, i) => {
    // Some are of today, and some so old that their records have expired.
    const observedAt = now - (i % 5 === 0 ? 2_000 : random.below(40)) * DAY_SECONDS;
    const number = 12_025_550_000 + (one.number % 900) * 3;
    return {
      ...one,
      number,
      label: random.pick(LABELS),
      observedAt,
      firstSeenAt: observedAt - random.below(9) * DAY_SECONDS,
    };
  });
  for (let run = 0; run < RUNS; run++) {
    const known = run === 0 ? [] : detections.slice(0, 20);
    await upload(world, `b${run}`, [...known, ...detections.slice(run * 100, run * 100 + 100 - run * 40)]);
    await tickWithoutCompaction(world);
  }
  listed = detections.map(({ number }) => number);
});

/** A new isolate with nothing in memory, and a key that it knows. */
async function isolate() {
  const stores = { objects: world.objects.memory, slices: world.slices.memory };
  const { services } = createWhole(stores, { RINGFENCE_ADMIN_KEY: ADMIN_KEY }, () => {});
  const made = await services.keys.create({ name: 'shop', scopes: ['lookup'] });
  if (made.kind !== 'created') throw new Error(made.kind);
  const fetch = wholeFetch(services);
  const headers = { authorization: `Bearer ${made.key}` };
  const call = async (path: string, body?: unknown) => {
    const text = body === undefined ? null : JSON.stringify(body);
    const init =
      text === null
        ? { headers }
        : { method: 'POST', body: text, headers: { ...headers, 'content-length': String(text.length) } };
    const answer = await fetch(new Request(`https://ringfence.example${path}`, init));
    return { status: answer.status, text: await answer.text() };
  };
  return { call };
}

type Call = Awaited<ReturnType<typeof isolate>>['call'];

/** As people and programs write numbers, good ones and bad ones. */
function someInput(): unknown {
  const near = 12_025_550_000 + random.below(9_000);
  const number = random.below(2) === 0 ? (listed[random.below(listed.length)] ?? near) : near;
  const national = String(number).slice(1);
  switch (random.below(12)) {
    case 0:
      return `+1 (${national.slice(0, 3)}) ${national.slice(3, 6)}-${national.slice(6)}`;
    case 1:
      return national;
    case 2:
      return `00${number}`;
    case 3:
      return `+${String(number).slice(0, 7)}`;
    case 4:
      return number;
    case 5:
      return `+1555${String(number).slice(4)}`;
    case 6:
      return `+4479${String(number).slice(3)}`;
    default:
      return `+${number}`;
  }
}

/** What stands in a batch for a number: its answer to a single lookup, byte for byte, or its input and the error. */
async function single(call: Call, input: unknown, scenario: string): Promise<string> {
  if (typeof input !== 'string') {
    const detail = 'not text: expected a phone number as text';
    return JSON.stringify({ input, error: { code: 'invalid-number', detail } });
  }
  const { status, text } = await call('/v1/lookup', { number: input, country: 'US', scenario });
  if (status === 200) return text;
  const { type, detail } = JSON.parse(text) as { readonly type: string; readonly detail: string };
  expect(type).toMatch(/invalid-number$/);
  return JSON.stringify({ input, error: { code: 'invalid-number', detail } });
}

describe('a batch is what single lookups of its numbers are', () => {
  it.each([
    ['from storage, in an isolate that knows nothing', false],
    ['from memory', true],
  ])('%s', async (_what, isWarm) => {
    vi.spyOn(console, 'log').mockReturnValue();
    const inputs = Array.from({ length: 700 }, someInput);
    const asked = await isolate();
    const other = await isolate();
    const batch = { numbers: inputs, country: 'US', scenario: 'signup' };
    if (isWarm) await asked.call('/v1/lookup/batch', batch);
    const { status, text } = await asked.call('/v1/lookup/batch', batch);
    expect(status).toBe(200);
    const singles: string[] = [];
    for (const input of inputs) singles.push(await single(other.call, input, 'signup'));
    const { results } = JSON.parse(text) as { readonly results: readonly unknown[] };
    expect(results.map((each) => JSON.stringify(each))).toEqual(singles);
    expect(text).toBe(`{"results":[${singles.join(',')}]}`);
    // All that answers can be is among them.
    for (const part of ['"verdict":"listed"', '"verdict":"suspect"', '"expired":true', 'o\\"dd', '"error"']) {
      expect(text).toContain(part);
    }
    expect(text).toContain('"lineType":"unassigned"');
  });

  it('and so are lookups by GET', async () => {
    const { call } = await isolate();
    for (const number of [...listed.slice(0, 40), ...listed.slice(0, 40).map((each) => each + 1)]) {
      const byPost = await call('/v1/lookup', { number: `+${number}` });
      expect(await call(`/v1/lookup?number=%2B${number}`)).toEqual(byPost);
    }
  });
});
