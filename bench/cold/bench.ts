/**
 * cold: what a brand-new isolate reads until its first answer and until it is warm. All of it is counted, none timed.
 */

import type { Run } from '../../src/format/manifest.ts';
import { blockStart } from '../../src/format/segment.ts';
import { lowerBound } from '../../src/lib/sorted.ts';
import { atMost, type BenchResult, type BenchSize, type Row, round } from '../report.ts';
import { LISTED_SHARE } from '../simulate/assumptions.ts';
import { ensureInventory, numbersOf } from '../support/inventory.ts';
import { Random, shuffle } from '../support/random.ts';
import { has, RANGE_NUMBERS, unlisted, usedRanges } from '../support/ranges.ts';
import { Isolate, type ServedWorld, servedWorld } from './isolate.ts';

// What is asked of a lookup service: mostly numbers of honest people, in the ranges that everybody has numbers in.

const ZIPF_EXPONENT = 1;

interface LookupMixes {
  /** Ranges of a million numbers by popularity, the r-th as popular as 1 / r. */
  readonly zipf: () => number;
  /** Every range as popular as any. */
  readonly uniform: () => number;
  /** As uniform, without any listed number. */
  readonly unlisted: () => number;
}

/** @param runs the numbers of each run, ascending, the base last */
function lookupMixes(runs: readonly Float64Array[], random: Random): LookupMixes {
  const base = runs.at(-1) ?? new Float64Array();
  const ranges = shuffle(usedRanges(base), random);
  const cumulative = new Float64Array(ranges.length);
  let total = 0;
  for (let r = 0; r < ranges.length; r++) {
    total += 1 / (r + 1) ** ZIPF_EXPONENT;
    cumulative[r] = total;
  }
  const popular = () => ranges[lowerBound(cumulative, (random.below(2 ** 30) / 2 ** 30) * total)] as number;
  const any = () => random.pick(ranges);
  const isListed = (number: number) => runs.some((numbers) => has(numbers, number));
  const unlistedIn = (range: () => number) => unlisted(() => range() + random.below(RANGE_NUMBERS), isListed);
  const mixed = (range: () => number) => () =>
    random.below(100) < LISTED_SHARE * 100 ? random.pick(base) : unlistedIn(range);
  return { zipf: mixed(popular), uniform: mixed(any), unlisted: () => unlistedIn(any) };
}

/** Those of the numbers that are in another ascending list too. */
function numbersIn(numbers: Float64Array, others: Float64Array): number[] {
  return Array.from(numbers).filter((number) => has(others, number));
}

const KIB = 1024;
const MIB = 2 ** 20;
const FIRST_LOOKUPS = { full: 200, small: 40 };
const LOOKUPS = { full: 10_000, small: 2_000 };
const MILESTONES = [1, 10, 100, 1_000, 10_000];
const SEED = 7;

interface First {
  readonly kind: string;
  readonly depth: number;
  readonly reads: number;
  readonly mostBytes: number;
}

async function firstLookups(world: ServedWorld, kind: string, draw: () => number, count: number): Promise<First> {
  let [depth, reads, mostBytes] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const isolate = new Isolate(world);
    const { record } = await isolate.lookup(draw());
    if ((record !== null) !== kind.startsWith('listed'))
      throw new Error(`a number that is ${kind} was found otherwise`);
    const { steps } = isolate;
    depth = Math.max(depth, steps.taken);
    reads = Math.max(reads, steps.reads);
    mostBytes = Math.max(mostBytes, steps.bytes);
  }
  return { kind, depth, reads, mostBytes };
}

interface Read {
  readonly depth: number | '';
  readonly reads: number;
  readonly readKiB: number;
  readonly cacheKiB: number | '';
}

/** First lookups: the most of any isolate. Mixes: the sum so far of one isolate. */
function row(what: string, lookups: number, { depth, reads, readKiB, cacheKiB }: Read): Row {
  return {
    'an empty isolate': what,
    lookups,
    'reads in sequence': depth,
    reads,
    'KiB read': Math.round(readKiB),
    'KiB in memory': cacheKiB === '' ? '' : Math.round(cacheKiB),
  };
}

interface Warmed {
  readonly rows: Row[];
  readonly readsOnceWarm: number;
  readonly peakCacheBytes: number;
  readonly numbersBytes: number;
}

/** Lookups of a mix by one isolate, and then those of unlisted numbers alone with every numbers column in memory. */
async function warm(world: ServedWorld, mix: string, draw: () => number, unlisted: () => number, count: number) {
  const isolate = new Isolate(world);
  const { steps } = isolate;
  const rows: Row[] = [];
  for (let done = 1; done <= count; done++) {
    await isolate.lookup(draw());
    if (!MILESTONES.includes(done) && done !== count) continue;
    const { reads, bytes } = steps;
    rows.push(
      row(`${mix} mix`, done, { depth: '', reads, readKiB: bytes / KIB, cacheKiB: isolate.peakCacheBytes / KIB }),
    );
  }
  // A number beside every segment's last: together they touch every numbers column there is.
  for (const run of world.manifest.runs) for (const { last } of run.segments) await isolate.lookup(beside(last));
  const before = steps.reads;
  for (let i = 0; i < count; i++) await isolate.lookup(unlisted());
  const warmed: Warmed = {
    rows,
    readsOnceWarm: steps.reads - before,
    peakCacheBytes: isolate.peakCacheBytes,
    numbersBytes: isolate.numbersBytes,
  };
  return warmed;
}

/** In the same ten-thousand-block, so that it is looked for in the same segment. */
function beside(last: number): number {
  return blockStart(last + 1) === blockStart(last) ? last + 1 : last - 1;
}

export async function run(size: BenchSize): Promise<BenchResult> {
  const world = await servedWorld(await ensureInventory(size));
  const random = new Random(SEED);
  const runs = await Promise.all(world.manifest.runs.map((each) => numbersOf(world, each)));
  const base = runs.at(-1) ?? new Float64Array();
  const newer = runs.slice(0, -1);
  const twice = newer.flatMap((numbers) => numbersIn(numbers, base));
  const mixes = lookupMixes(runs, random);

  const firsts = [
    await firstLookups(world, 'unlisted', mixes.unlisted, FIRST_LOOKUPS[size]),
    await firstLookups(world, 'listed in the base', () => random.pick(base), FIRST_LOOKUPS[size]),
    await firstLookups(world, 'listed in two runs or more', () => random.pick(twice), FIRST_LOOKUPS[size]),
  ];
  const warmed = [
    await warm(world, 'Zipf', mixes.zipf, mixes.unlisted, LOOKUPS[size]),
    await warm(world, 'uniform', mixes.uniform, mixes.unlisted, LOOKUPS[size]),
  ];
  const firstRows = firsts.map(({ kind, depth, reads, mostBytes }) =>
    row(kind, 1, { depth, reads, readKiB: mostBytes / KIB, cacheKiB: '' }),
  );
  return {
    name: 'cold',
    rows: [...firstRows, ...warmed.flatMap(({ rows }) => rows)],
    bars: [
      ...firsts.flatMap(({ kind, depth, mostBytes }) => [
        atMost(`first lookup, ${kind}: reads in sequence`, depth, kind === 'unlisted' ? 2 : 3),
        atMost(`first lookup, ${kind}: KiB read at most`, round(mostBytes / KIB), kind === 'unlisted' ? 256 : 384),
      ]),
      atMost('bytes of verdicts a number, in the base', round(verdictBytes(world.manifest.runs.at(-1))), 4),
      atMost('storage reads of unlisted numbers once warm', sum(warmed.map((each) => each.readsOnceWarm)), 0),
      atMost(
        'MiB of columns in memory, of 66 allowed',
        round(peak(warmed.map((each) => each.peakCacheBytes)) / MIB),
        66,
      ),
      atMost('MB of numbers in memory once warm', round(peak(warmed.map((each) => each.numbersBytes)) / 1e6), 30),
    ],
  };
}

function verdictBytes(run: Run | undefined): number {
  const segments = run?.segments ?? [];
  const count = segments.reduce((total, entry) => total + entry.count, 0);
  return segments.reduce((total, { verdictsBytes }) => total + verdictsBytes, 0) / count;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const peak = (values: readonly number[]) => Math.max(...values);
