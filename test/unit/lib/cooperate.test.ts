import { describe, expect, test } from 'vitest';
import { collectBriefings } from '../../../src/briefing/briefings.ts';
import { type ActivityInput, checkActivityBlocks, openActivityObject } from '../../../src/format/activity-object.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { type Batch, BatchBuilder, openBatch, openBatchSteps } from '../../../src/format/batch.ts';
import { type ActivityEntry, EMPTY_MANIFEST } from '../../../src/format/manifest.ts';
import { acceptDetections } from '../../../src/ingest/accept.ts';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { eventLoopTurn, finish, Pacer, TURN_RECORDS, UNPACED } from '../../../src/lib/cooperate.ts';
import { sortedOrderSteps } from '../../../src/lib/sorted.ts';
import { activityOf } from '../../../src/merge/activity.ts';
import { foldActivityPaced } from '../../../src/merge/activity-fold.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { readSetAside, writeSetAside } from '../../../src/merge/failing-batches.ts';
import { countNew, distinctNumbers } from '../../../src/merge/first-time.ts';
import { BatchCursor, fold, type RecordCursor } from '../../../src/merge/fold.ts';
import { batchesSince, encodeHistory } from '../../../src/merge/history.ts';
import { MergeDictionary, type RecordSink } from '../../../src/merge/segment-builder.ts';
import { fairOrder } from '../../../src/merge/take.ts';
import { tick } from '../../../src/merge/tick.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { dryRun } from '../../../src/policy/dry-run.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { batchSetOf, foldPages } from '../../../src/quality/batch-set.ts';
import { ledgerAfterRollback, ledgerAfterWithdrawal } from '../../../src/quality/decide.ts';
import { readDropped, readHeld } from '../../../src/quality/excluded-rows.ts';
import { EMPTY_LEDGER, type Ledger, MAX_CASES, newCase, readLedger, writeLedger } from '../../../src/quality/ledger.ts';
import { DEFAULT_BOUNDS } from '../../../src/quality/quarantine.ts';
import { screen } from '../../../src/quality/screen.ts';
import { openActivity } from '../../../src/storage/activity.ts';
import { batchOwner, generationKey, HISTORY_PREFIX } from '../../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';
import { createControl } from '../../../src/wiring/control.ts';
import { createIsolate, WORKERS_PLATFORM } from '../../../src/wiring/isolate.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { newWorld, upload } from '../../support/world.ts';
import { CLEAR } from '../policy/facts.ts';

const ROWS = 40_000;
const DETECTIONS = someDetections(ROWS, 1, 30_000).map((one, i) => ({
  ...one,
  // A link of its own each, as real uploads have it: what is parsed is as many as the rows.
  link: { host: 'codes.example', sha256: i.toString(16).padStart(64, '0') },
}));
const FILE = fileOf(DETECTIONS);
const BATCH = openBatch(FILE);

function fileOf(detections: readonly Detection[]): Bytes {
  const builder = new BatchBuilder();
  for (const one of detections) builder.add(one);
  return builder.finish({ bodySha256: '', accepted: ROWS, rejected: 0, errors: [] });
}

/** Counts the turns that work gives way by. */
function counted(onTurn = () => {}) {
  const counts = { turns: 0 };
  const pace = new Pacer(async () => {
    counts.turns += 1;
    onTurn();
  });
  return { counts, pace };
}

describe('the pacer', () => {
  test('gives way after so many records, and begins anew when the turn is over', async () => {
    let release = () => {};
    const pace = new Pacer(() => new Promise((resolve) => (release = resolve)), 10);
    expect([pace.count(9), pace.count(1), pace.count(1)]).toEqual([false, true, true]);
    const turn = pace.giveWay();
    // Work beside it has to give way, too, before it goes on.
    expect(pace.count(1)).toBe(true);
    release();
    await turn;
    expect(pace.count(9)).toBe(false);
  });

  test.each([1, 2, 3])('%i works side by side do as much together between two turns as one', async (works) => {
    const STEP = 8;
    let together = 0;
    let longest = 0;
    const pace = new Pacer(() => new Promise((resolve) => setImmediate(resolve)));
    const done = Array.from({ length: works }, () => 0);
    function* steps(work: number) {
      for (let i = 0; i < 40_000 / STEP; i++) {
        together += STEP;
        done[work] = (done[work] as number) + STEP;
        yield STEP;
      }
      return Math.min(...done) / Math.max(...done);
    }
    // Whoever else is served, once a turn.
    let isOver = false;
    const others = (async () => {
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        longest = Math.max(longest, together);
        together = 0;
      }
    })();
    const shares = await Promise.all(done.map((_, work) => pace.run(steps(work))));
    isOver = true;
    await others;
    expect(longest).toBeGreaterThan(TURN_RECORDS / 2);
    expect(longest).toBeLessThanOrEqual(TURN_RECORDS + works * STEP);
    // None waits for the others to end.
    expect(shares[0]).toBeGreaterThan(0.9);
  });

  test('runs steps to their end, with what they return or throw', async () => {
    const { counts, pace } = counted();
    function* steps(fails: boolean) {
      for (let i = 0; i < 4; i++) yield TURN_RECORDS / 2;
      if (fails) throw new RangeError('at the end');
      return 'done';
    }
    expect(await pace.run(steps(false))).toBe('done');
    expect(counts.turns).toBe(2);
    await expect(pace.run(steps(true))).rejects.toThrow('at the end');
    expect(finish(steps(false))).toBe('done');
  });
});

/** A cursor that tells of each record it emits. */
class Watched implements RecordCursor {
  readonly #cursor: RecordCursor;
  readonly #onRecord: () => void;

  constructor(cursor: RecordCursor, onRecord: () => void) {
    this.#cursor = cursor;
    this.#onRecord = onRecord;
  }

  get number(): number {
    return this.#cursor.number;
  }

  emit(sink: RecordSink): number {
    this.#onRecord();
    return this.#cursor.emit(sink);
  }

  advance(): boolean {
    return this.#cursor.advance();
  }

  load(pace: Pacer): Promise<void> {
    return this.#cursor.load(pace);
  }
}

test('a fold never folds more records than that between two turns', async () => {
  let run = 0;
  let longest = 0;
  let all = 0;
  const { pace } = counted(() => {
    run = 0;
  });
  const dictionary = new MergeDictionary();
  const cursor = new Watched(new BatchCursor(BATCH, dictionary), () => {
    all += 1;
    run += 1;
    longest = Math.max(longest, run);
  });
  for await (const _ of fold([cursor], dictionary, pace)) {
    // Only how it is paced matters.
  }
  expect(all).toBe(ROWS);
  expect(longest).toBeGreaterThan(TURN_RECORDS / 2);
  expect(longest).toBeLessThanOrEqual(TURN_RECORDS);
});

/**
 * Stages that go through all rows, with the least turns that each must take: were one not to give way, it took none.
 */
const NUMBERS = Float64Array.from(DETECTIONS, ({ number }) => number);
/** A flood, of many keys. */
const HEADS = Array.from({ length: 60_000 }, (_, i) => ({
  ...{ key: `batches/waiting/${i}`, etag: '', sizeBytes: 1_000, uploadedAt: (i * 7_919) % 60_000 },
  owner: batchOwner(`tenant-${i % 5}`, `key-${i % 20}`),
}));
const CASES = Array.from({ length: 2_000 }, () => ({ sample: 'numbers' as const, facts: CLEAR }));
const LARGE_LEDGER = {
  ...EMPTY_LEDGER,
  hits: Array.from({ length: 5_000 }, (_, number) => ({
    number,
    detections: 1,
    lastAt: number,
    sources: ['a source'],
  })),
};
const STAGES: readonly (readonly [name: string, turns: number, work: (pace: Pacer) => Promise<unknown>])[] = [
  ['an upload is read and written as a batch', 27, accept],
  ['an upload of many names is read', 50, (pace) => acceptText(pace, MANY_NAMES)],
  [
    'an upload of blank lines is read',
    85,
    (pace) => acceptText(pace, `${'\n'.repeat(4_000_000)}{"number":"+12025550123"}`),
  ],
  ['a batch is written', 70, (pace) => pace.run(builderOf().finishSteps(BATCH.receipt))],
  ['a batch is opened', 70, (pace) => pace.run(openBatchSteps(FILE))],
  ['numbers are sorted', 5, (pace) => pace.run(sortedOrderSteps(NUMBERS, ROWS))],
  ['distinct numbers are found', 2, (pace) => pace.run(distinctNumbers([BATCH, BATCH]))],
  ['new numbers are counted', 1, (pace) => pace.run(countNew(BATCH.numbers, known()))],
  ['uploads are screened', 2, screened],
  ['uploads of many sources are screened', 110, (pace) => manySourcesScreened(pace, new Set())],
  ['canaries of many sources are found', 250, (pace) => manySourcesScreened(pace, new Set(CANARIES))],
  ['days are written', 80, (pace) => pace.run(activityOf([BATCH]))],
  ['days are checked and folded', 40, (pace) => foldedFacts(pace, [BATCH])],
  ['a single day is folded', 8, (pace) => foldedFacts(pace, [openBatch(fileOf(ofOneDay()))])],
  ['days of many keys are written', 90, (pace) => pace.run(activityOf([MANY_KEYS]))],
  ['days of many keys are opened and folded', 340, (pace) => foldedFacts(pace, [MANY_KEYS, MANY_KEYS])],
  ['days of many keys are read', 110, manyKeysRead],
  ['records are folded and encoded', 70, folded],
  ['what waits is put in order', 40, (pace) => pace.run(fairOrder(HEADS, DEFAULT_BUDGET))],
  ['a large ledger is written', 2, (pace) => writeLedger(new MemoryObjectStore(), 1, 'id', LARGE_LEDGER, pace)],
  ['a large ledger is read', 1, ledgerRead],
  ['the ledger of a rollback is made', 25, rolledBack],
  ['pages of batches held are read', 10, (pace) => pagesRead(pace, readHeld)],
  ['pages of excluded batches are read', 10, (pace) => pagesRead(pace, readDropped)],
  ['pages of a withdrawn batch are read', 5, (pace) => pagesRead(pace, withdrawnFrom)],
  ['batches set aside are read', 2, asideRead],
  ['kept briefings are collected', 10, briefingsCollected],
  ['a long history is read', 5, longHistory],
  ['a policy is tried', 60, (pace) => pace.run(dryRun(DEFAULT_POLICY, DEFAULT_POLICY, CASES))],
];

test.each(STAGES)('while %s, others get their turn', async (_, turns, work) => {
  const { counts, pace } = counted();
  await work(pace);
  expect(counts.turns).toBeGreaterThanOrEqual(turns);
});

async function ledgerRead(pace: Pacer): Promise<void> {
  const objects = new MemoryObjectStore();
  const ledger = await writeLedger(objects, 1, 'id', LARGE_LEDGER, UNPACED);
  expect(await readLedger(objects, { ledger }, pace)).toEqual(LARGE_LEDGER);
}

/** As many cases as there may be, each with batches of its own. */
async function rolledBack(pace: Pacer): Promise<void> {
  let looks = 0;
  const cases = Array.from({ length: MAX_CASES }, (_, i) => ({
    ...newCase({ source: null, tenant: `tenant-${i % 20}` }, 1),
    get source() {
      looks += 1;
      return `source-${i}`;
    },
    held: batchSetOf(Array.from({ length: 20 }, (__, at) => ({ id: `batch-${i}-${at}`, rows: 1 }))),
  }));
  const ledger = { ...EMPTY_LEDGER, cases };
  const how = { requeue: false, now: 1, excluded: new Set<string>(), withdrawn: new Set<string>() };
  const { ledger: after } = await ledgerAfterRollback(new MemoryObjectStore(), ledger, ledger, how, pace);
  // Were each case looked for among all, it took seconds.
  expect(looks).toBeLessThan(20 * MAX_CASES);
  expect(after).toEqual(ledger);
}

/** A source that is held back for long: its batches are on twenty pages. */
async function pagesRead(
  pace: Pacer,
  read: (objects: ObjectStore, ledger: Ledger, pace: Pacer) => Promise<unknown>,
): Promise<void> {
  const objects = new MemoryObjectStore();
  const batches = Array.from({ length: 20_000 }, (_, i) => ({
    id: `1795791580799-${String(i).padStart(8, '0')}-2d23-4cf8-86a2-1aa643781201`,
    rows: 1,
  }));
  let pages = 0;
  const set = await foldPages(objects, batchSetOf(batches), () => `page-${++pages}`, UNPACED);
  const one = { ...newCase({ source: 'a source' }, 1), held: set, dropped: set };
  await read(objects, { ...EMPTY_LEDGER, cases: [one] }, pace);
}

function withdrawnFrom(objects: ObjectStore, ledger: Ledger, pace: Pacer): Promise<Ledger> {
  return ledgerAfterWithdrawal(objects, ledger, { id: 'none of them', sources: ['a source'] }, 1, pace);
}

async function asideRead(pace: Pacer): Promise<void> {
  const objects = new MemoryObjectStore();
  const detail = 'x'.repeat(100);
  const aside = Array.from({ length: 10_000 }, (_, i) => ({
    ...{ id: `batch-${i}`, reason: 'failed' as const, detail, at: 1, by: null },
  }));
  const setAside = await writeSetAside(objects, 1, 'id', aside);
  expect(await readSetAside(objects, { setAside, publishedAt: 1 }, pace)).toHaveLength(10_000);
}

async function briefingsCollected(pace: Pacer): Promise<void> {
  const objects = new MemoryObjectStore();
  for (let i = 0; i < 5_000; i++) await objects.put(`briefings/other-${i}`, new Uint8Array(1));
  expect(await collectBriefings(objects, 1, pace)).toBe(4_500);
}

/** A chain of generations, each with a few batches. */
async function longHistory(pace: Pacer): Promise<void> {
  const objects = new MemoryObjectStore();
  let manifest = EMPTY_MANIFEST;
  for (let generation = 1; generation <= 400; generation++) {
    const commit = `commit-${generation}`;
    const parent = generation === 1 ? null : manifest.commit;
    manifest = { ...manifest, generation, commit, parent };
    const batches = ['a', 'b', 'c'].map((id) => `${id}-${generation}`);
    const page = encodeHistory([{ generation, commit, parent, writtenAt: 0, batches, replayed: [] }]);
    await objects.put(generationKey(HISTORY_PREFIX, generation, commit), page);
  }
  expect(await batchesSince(objects, manifest, 1, pace)).toHaveLength(399 * 3);
}

function builderOf(): BatchBuilder {
  const builder = new BatchBuilder();
  for (const one of DETECTIONS) builder.add(one);
  return builder;
}

function accept(pace: Pacer): Promise<void> {
  const lines = DETECTIONS.slice(0, 5_000).map(({ number }) => `{"number":"+${number}","observedAt":1730000000}`);
  return acceptText(pace, lines.join('\n'));
}

/** Nothing but names of fields: 50 lines of 2,000. */
const MANY_NAMES = `{"number":"+12025550123",${Array.from({ length: 2_000 }, (_, i) => `"a${i}":1`).join()}}\n`.repeat(
  50,
);

async function acceptText(pace: Pacer, text: string): Promise<void> {
  // In one piece, however large: the platform hands on what it has.
  const body = new Blob([text]).stream();
  const upload = { body, contentType: 'application/x-ndjson', tenant: 'default' };
  const deps = { objects: new MemoryObjectStore(), now: () => 1_731_000_000_000, randomId: () => 'x' };
  await acceptDetections(upload, { ...deps, labels: new LabelLevels(), pace });
}

function ofOneDay(): Detection[] {
  return DETECTIONS.map((one) => ({ ...one, observedAt: 1_730_000_000, firstSeenAt: 1_730_000_000 }));
}

function known() {
  const numbers = finish(distinctNumbers([BATCH]));
  return { numbers, isKnown: new Uint8Array(numbers.length) };
}

function screened(pace: Pacer): Promise<unknown> {
  const how = { canaries: new Set<number>(), known: known(), now: 1_731_000_000_000, bounds: DEFAULT_BOUNDS };
  return pace.run(screen([{ id: 'one', batch: BATCH, isReplayed: false }], EMPTY_LEDGER, how));
}

/** A thousand sources, each of which has seen the canaries. */
const CANARIES = Array.from({ length: 4 }, (_, i) => fictionNumber(i));
const MANY_SOURCES = openBatch(
  fileOf(
    Array.from({ length: 4_000 }, (_, i) => ({
      ...(DETECTIONS[i] as Detection),
      number: fictionNumber(i % 4),
      source: `source-${i >> 2}`,
    })),
  ),
);

function manySourcesScreened(pace: Pacer, canaries: ReadonlySet<number>): Promise<unknown> {
  const numbers = finish(distinctNumbers([MANY_SOURCES]));
  const isKnown = new Uint8Array(numbers.length);
  const uploads = Array.from({ length: 20 }, (_, i) => ({ id: `b-${i}`, batch: MANY_SOURCES, isReplayed: false }));
  const how = { canaries, known: { numbers, isKnown }, now: 1_731_000_000_000, bounds: DEFAULT_BOUNDS };
  return pace.run(screen(uploads, EMPTY_LEDGER, how));
}

/** A key of activity for each row. */
const MANY_KEYS = openBatch(fileOf(DETECTIONS.slice(0, 20_000).map((one, i) => ({ ...one, project: `project-${i}` }))));

async function manyKeysRead(pace: Pacer): Promise<void> {
  const objects = new MemoryObjectStore();
  const activity: ActivityEntry[] = [];
  for (const { file, shape } of finish(activityOf([MANY_KEYS]))) {
    await objects.put('facts/many', file);
    activity.push({ key: 'facts/many', ...shape });
  }
  for await (const { day } of (await openActivity(objects, { activity }, pace)).days(0, 0)) expect(day).toBe(0);
}

async function foldedFacts(pace: Pacer, batches: readonly Batch[]): Promise<void> {
  const inputs: ActivityInput[] = [];
  for (const batch of batches) {
    for (const { file, shape } of finish(activityOf([batch]))) {
      inputs.push(await pace.run(openActivityObject(file, shape)));
    }
  }
  for (const input of inputs) await pace.run(checkActivityBlocks(input));
  for await (const _ of foldActivityPaced(pace, inputs)) {
    // Only how it is paced matters.
  }
}

async function folded(pace: Pacer): Promise<void> {
  const dictionary = new MergeDictionary();
  for await (const _ of fold([new BatchCursor(BATCH, dictionary)], dictionary, pace)) {
    // Only how it is paced matters.
  }
}

test('uploads and ticks of the control Worker count together, with a turn of the event loop that is handed in', async () => {
  const world = newWorld();
  let turns = 0;
  const turn = async () => {
    turns += 1;
  };
  const platform = { ...WORKERS_PLATFORM, now: world.now, sleep: world.sleep, log: world.log, turn };
  const isolate = createIsolate(
    world,
    {},
    () => undefined,
    async () => null,
    [],
    platform,
  );
  const { services, merge } = createControl(isolate, {});
  const body = new Blob(['number,observedAt\n', '+12005550100,2026-01-05T11:00:00Z\n'.repeat(2_000)]).stream();
  await services.accept({ body, contentType: 'text/csv', tenant: 'default' });
  expect(turns).toBeGreaterThan(10);
  const before = turns;
  await upload(world, 'one', DETECTIONS);
  await tick(merge);
  expect(turns - before).toBeGreaterThan(230);
  expect(WORKERS_PLATFORM.turn).toBe(eventLoopTurn);
});

test('a tick is as often interrupted as it has work, and comes out the same', async () => {
  const files: string[][] = [];
  for (const isPaced of [true, false]) {
    const { counts, pace } = counted();
    const world = { ...newWorld(), pace: isPaced ? pace : UNPACED };
    await upload(world, 'one', DETECTIONS);
    await tick(world);
    if (isPaced) expect(counts.turns).toBeGreaterThan(230);
    const { objects } = await world.objects.list('segments/');
    files.push(objects.map(({ etag, sizeBytes }) => `${etag} ${sizeBytes}`));
  }
  expect(files[0]).toEqual(files[1]);
});

test('the longest stretch of a tick without a turn is a small part of it', async () => {
  let from = performance.now();
  let longest = 0;
  const pace = new Pacer(async () => {
    longest = Math.max(longest, performance.now() - from);
    await new Promise((resolve) => setImmediate(resolve));
    from = performance.now();
  });
  const world = { ...newWorld(), pace };
  await upload(world, 'warm', DETECTIONS);
  await tick(world);
  await upload(world, 'one', DETECTIONS);
  longest = 0;
  from = performance.now();
  const start = from;
  await tick(world);
  // Some 1 % as a rule. A garbage collection, or another program on the machine, may fall into any stretch.
  expect(longest).toBeLessThan((performance.now() - start) / 3);
});
