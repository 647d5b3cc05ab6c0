/**
 * Random sequences of uploads, ticks, rollbacks and decisions of an admin, against a plain model of what is in the
 * inventory. The model knows batches, sources and sets of pairs of both; of runs, batch sets and jobs it knows nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { inventoryNumbers } from '../../../src/format/manifest.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { releaseBatch } from '../../../src/merge/decisions.ts';
import { readSetAside } from '../../../src/merge/failing-batches.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { withdraw } from '../../../src/merge/withdraw.ts';
import { actualActivity, expectedActivity } from '../../support/activity.ts';
import { detection } from '../../support/detections.ts';
import {
  actualInventory,
  batchPlaces,
  compactedBytes,
  expectedInventory,
  newWorld,
  type World,
} from '../../support/world.ts';
import { checked, lookAt } from '../scripts/fsck/support.ts';
import { drop, ledgerOf, lines, release, uploadLines } from './quarantine-world.ts';

const SOURCES = ['alpha', 'beta'] as const;
type Source = (typeof SOURCES)[number];
const TICKS_TO_REST = 400;

interface Batch {
  readonly id: string;
  readonly rows: readonly Detection[];
  /** Sources that come with bad lines in it. */
  readonly bad: readonly Source[];
}

interface SourceState {
  isQuarantined: boolean;
  /** Its lines were too bad, at any time. */
  isBad: boolean;
  /** Of the quarantine, and those that it is trusted in. */
  reasons: readonly string[];
  trust: readonly string[];
}

/** What one generation's inventory is made of. */
interface Inventory {
  waiting: Set<string>;
  replay: Set<string>;
  readonly setAside: Set<string>;
  /** Taken up by this generation or before. */
  readonly takenUp: Set<string>;
  /** `batch source` that are out though their batch is in. */
  readonly held: Set<string>;
  due: Set<string>;
}

type Left = Pick<Inventory, 'waiting' | 'replay' | 'due'>;

class Model {
  readonly batches = new Map<string, Batch>();
  readonly sources = new Map(
    SOURCES.map((name): [Source, SourceState] => [
      name,
      { isQuarantined: false, isBad: false, reasons: [], trust: [] },
    ]),
  );
  readonly withdrawn = new Set<string>();
  /** For good. */
  readonly dropped = new Set<string>();
  readonly generations = new Map<number, Inventory>();
  now: Inventory = {
    ...{ waiting: new Set(), replay: new Set(), setAside: new Set() },
    ...{ takenUp: new Set(), held: new Set(), due: new Set() },
  };

  publishedAs(generation: number): void {
    const { now } = this;
    this.generations.set(generation, {
      waiting: new Set(now.waiting),
      replay: new Set(now.replay),
      setAside: new Set(now.setAside),
      takenUp: new Set(now.takenUp),
      held: new Set(now.held),
      due: new Set(now.due),
    });
  }

  upload(batch: Batch): void {
    this.batches.set(batch.id, batch);
    this.now.waiting.add(batch.id);
  }

  /** @param left what the tick did not take up: which is up to its budget */
  tick(left: Left): void {
    const { now } = this;
    for (const [rest, all] of [
      [left.due, now.due],
      [left.replay, now.replay],
      [left.waiting, now.waiting],
    ] as const) {
      expect([...rest].filter((one) => !all.has(one))).toEqual([]);
    }
    now.due = left.due;
    const taken = (all: ReadonlySet<string>, rest: ReadonlySet<string>) => [...all].filter((id) => !rest.has(id));
    const arrived = taken(now.waiting, left.waiting).flatMap((id) => this.batches.get(id) ?? []);
    for (const name of SOURCES) {
      const own = this.#source(name);
      own.isBad ||= arrived.some(({ bad }) => bad.includes(name));
      const isJudged = arrived.some(
        ({ rows, bad }) => bad.includes(name) || rows.some(({ source }) => source === name),
      );
      if (isJudged && own.isBad && !own.isQuarantined && !own.trust.includes('bad')) {
        own.isQuarantined = true;
        own.reasons = ['bad'];
      }
    }
    for (const id of [...taken(now.replay, left.replay), ...taken(now.waiting, left.waiting)]) {
      for (const name of SOURCES) {
        const pair = `${id} ${name}`;
        const hasRows = this.batches.get(id)?.rows.some(({ source }) => source === name) === true;
        if (hasRows && this.#source(name).isQuarantined && !this.dropped.has(pair)) now.held.add(pair);
      }
      now.takenUp.add(id);
    }
    now.replay = left.replay;
    now.waiting = left.waiting;
  }

  release(name: Source): void {
    const own = this.#source(name);
    if (!own.isQuarantined) return;
    own.isQuarantined = false;
    own.trust = [...own.trust, ...own.reasons];
    this.#move(name, this.now.held, this.now.due);
  }

  drop(name: Source): void {
    if (!this.#source(name).isQuarantined) return;
    this.#move(name, this.now.held, this.dropped);
    this.#move(name, this.now.due, this.dropped);
  }

  rollback(generation: number, requeue: boolean): void {
    const then = this.generations.get(generation);
    if (then === undefined) throw new Error('no such generation');
    const { now } = this;
    const out = [...now.takenUp].filter((id) => !then.takenUp.has(id) || then.setAside.has(id) || then.replay.has(id));
    const replay = new Set<string>();
    const setAside = new Set<string>();
    for (const id of out) {
      if (this.withdrawn.has(id)) continue;
      (requeue && !now.setAside.has(id) ? replay : setAside).add(id);
    }
    const held = new Set<string>();
    const due = new Set<string>();
    for (const pair of [...then.held, ...then.due]) {
      const [id = '', name] = pair.split(' ');
      if (this.dropped.has(pair) || this.withdrawn.has(id)) continue;
      const isReleased = now.due.has(pair) || (requeue && !this.#source(name as Source).isQuarantined);
      (isReleased ? due : held).add(pair);
    }
    for (const name of SOURCES) {
      const own = this.#source(name);
      if (own.isQuarantined || ![...held].some((pair) => pair.endsWith(` ${name}`))) continue;
      own.isQuarantined = true;
      own.reasons = ['rollback'];
      own.trust = [];
    }
    this.now = { ...now, replay, setAside, held, due };
  }

  withdraw(id: string): void {
    const { now } = this;
    this.withdrawn.add(id);
    for (const set of [now.waiting, now.replay, now.setAside]) set.delete(id);
    for (const set of [now.held, now.due]) for (const name of SOURCES) set.delete(`${id} ${name}`);
    now.takenUp.add(id);
  }

  releaseBatch(id: string): void {
    if (this.now.setAside.delete(id)) this.now.replay.add(id);
  }

  /** What is listed at rest. */
  listed(): Detection[] {
    const { takenUp, setAside, replay, held, due } = this.now;
    return [...takenUp].flatMap((id) => {
      if (this.withdrawn.has(id) || setAside.has(id) || replay.has(id)) return [];
      return (this.batches.get(id)?.rows ?? []).filter(({ source }) => {
        const pair = `${id} ${source}`;
        return !held.has(pair) && !due.has(pair) && !this.dropped.has(pair);
      });
    });
  }

  #source(name: Source): SourceState {
    const found = this.sources.get(name);
    if (found === undefined) throw new Error(`no source ${name}`);
    return found;
  }

  #move(name: Source, from: Set<string>, to: Set<string>): void {
    for (const pair of from) if (pair.endsWith(` ${name}`)) to.add(pair);
    for (const pair of [...from]) if (pair.endsWith(` ${name}`)) from.delete(pair);
  }
}

const rows = fc.array(
  fc
    .tuple(detection, fc.constantFrom(...SOURCES))
    .map(([one, source]) => ({ ...one, number: 12_005_550_100 + (one.number % 40), source })),
  { maxLength: 12 },
);
const pick = fc.nat({ max: 1_000 });
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('upload'),
      rows,
      bad: fc.subarray([...SOURCES]),
      isBad: fc.nat({ max: 1 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('tick') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release'), source: fc.constantFrom(...SOURCES) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop'), source: fc.constantFrom(...SOURCES) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollback'), pick, requeue: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('withdraw'), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('bring back'), pick }) },
);
type Operation = { readonly kind: string } & Partial<{
  readonly rows: readonly Detection[];
  readonly bad: readonly Source[];
  readonly isBad: number;
  readonly source: Source;
  readonly pick: number;
  readonly requeue: boolean;
}>;

async function generationOf(world: World): Promise<number> {
  return (await loadManifest(world.objects.memory)).manifest.generation;
}

/** What is still to be taken up, by the store. */
async function left(world: World): Promise<Left> {
  const { manifest } = await loadManifest(world.objects.memory);
  const waiting = new Set((await batchPlaces(world.objects.memory)).waiting);
  for (const id of manifest.consumed) waiting.delete(id);
  return { waiting, replay: new Set(manifest.replay), due: await pairs(world, 'due') };
}

async function pairs(world: World, set: 'held' | 'due' | 'dropped'): Promise<Set<string>> {
  const { cases } = await ledgerOf(world);
  return new Set(cases.flatMap((one) => one[set].batches.map(({ id }) => `${id} ${one.source}`)));
}

async function run(world: World, model: Model, { kind, ...how }: Operation): Promise<void> {
  world.clock += 1_000;
  const one = <T>(all: readonly T[]): T | undefined => all[(how.pick ?? 0) % Math.max(1, all.length)];
  const before = await generationOf(world);
  if (kind === 'upload') {
    const id = `${model.batches.size % 2 === 0 ? 'k-' : ''}${(model.batches.size * 7919) % 1000}-${model.batches.size}`;
    const bad = how.isBad === 0 ? (how.bad ?? []) : [];
    const all = how.rows ?? [];
    const counts = SOURCES.map((name) =>
      lines(name, all.filter(({ source }) => source === name).length, bad.includes(name) ? 400 : 0),
    );
    await uploadLines(
      world,
      id,
      all,
      counts.filter(({ lines: sum }) => sum > 0),
    );
    model.upload({ id, rows: all, bad });
    return;
  }
  if (kind === 'tick') {
    await tick(world);
    model.tick(await left(world));
  } else if (kind === 'release' && how.source !== undefined) {
    await release(world, how.source);
    model.release(how.source);
  } else if (kind === 'drop' && how.source !== undefined) {
    await drop(world, how.source);
    model.drop(how.source);
  } else if (kind === 'rollback') {
    const to = one([...model.generations.keys()].filter((generation) => generation < before));
    if (to === undefined) return;
    expect((await rollback(world, to, { requeue: how.requeue === true })).kind).toBe('done');
    model.rollback(to, how.requeue === true);
  } else if (kind === 'withdraw') {
    const id = one([...model.batches.keys()]);
    if (id === undefined) return;
    expect((await withdraw(world, id, 'admin')).kind).toBe('done');
    model.withdraw(id);
  } else if (kind === 'bring back') {
    const id = one([...model.batches.keys()]);
    if (id === undefined) return;
    await releaseBatch(world, id);
    model.releaseBatch(id);
  }
  // A tick may publish several generations; all of them have the same batches.
  const after = await generationOf(world);
  for (let generation = before + 1; generation <= after; generation++) model.publishedAs(generation);
}

async function atRest(world: World, model: Model): Promise<void> {
  for (let i = 0; i < TICKS_TO_REST; i++) {
    const result = await tick(world);
    model.tick(await left(world));
    const { manifest } = await loadManifest(world.objects.memory);
    if (result.batches === 0 && (manifest.withdrawals?.pending ?? 0) === 0 && manifest.compaction === null) break;
  }
  const { manifest } = await loadManifest(world.objects.memory);
  expect(manifest.withdrawals?.pending ?? 0).toBe(0);
  const listed = model.listed();
  const expected = expectedInventory(listed);
  expect(await actualInventory(world.objects.memory)).toEqual(expected);
  expect(await actualActivity(world.objects.memory)).toEqual(expectedActivity(listed));
  expect(inventoryNumbers(manifest)).toBe(expected.size);
  const aside = await readSetAside(world.objects.memory, manifest, UNPACED);
  expect(new Set(aside.map(({ id }) => id))).toEqual(model.now.setAside);
  expect(await pairs(world, 'held')).toEqual(model.now.held);
  const isWithdrawn = (pair: string) => model.withdrawn.has(pair.split(' ')[0] ?? '');
  // What was held of a withdrawn batch counts as dropped.
  expect([...(await pairs(world, 'dropped'))].filter((pair) => !isWithdrawn(pair)).toSorted()).toEqual(
    [...model.dropped].filter((pair) => !isWithdrawn(pair)).toSorted(),
  );
  expect(world.storeLog.violations).toEqual([]);
}

test('whatever is uploaded, rolled back, released, dropped and withdrawn: the inventory is what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 4, maxLength: 40 }),
      fc.constantFrom(1, 7, 1_000),
      fc.constantFrom(1, 3, 1_000),
      // With the smallest a tick takes up one batch, released ones first.
      fc.constantFrom(1, DEFAULT_BUDGET.batchBytes),
      async (operations, inlineRecords, withdrawalBatches, batchBytes) => {
        const world = newWorld({ inlineRecords, compactionSegments: 1, withdrawalBatches, batchBytes });
        const model = new Model();
        for (const one of operations as readonly Operation[]) await run(world, model, one);
        await atRest(world, model);
        if (model.batches.size === 0) return;
        const look = await checked(world);
        expect(look.words).toEqual([]);
        const target = newWorld();
        await rebuild(world.objects.memory, target, lookAt(target).progress);
        await compactFully(world);
        expect(await compactedBytes(target.objects)).toEqual(await compactedBytes(world.objects));
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);
