/**
 * cold: what a brand-new isolate reads until its first answer and until it is warm, through the whole edge Worker: key,
 * rules and overrides of a tenant, manifest and columns. All of it is counted, none timed.
 */

import type { Run } from '../../src/format/manifest.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../../src/format/segment.ts';
import { lowerBound } from '../../src/lib/sorted.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { atMost, type BenchResult, type BenchSize, type Row, round } from '../report.ts';
import { LISTED_SHARE } from '../simulate/assumptions.ts';
import { ensureInventory, numbersOf } from '../support/inventory.ts';
import { Random, shuffle } from '../support/random.ts';
import { has, RANGE_NUMBERS, unlisted, usedRanges } from '../support/ranges.ts';
import { ColdIsolate, type Looked } from './isolate.ts';
import { rewriteBase, type ServedWorld, servedWorld } from './world.ts';

// What is asked of a lookup service: mostly numbers of honest people, in the ranges that everybody has numbers in.

const ZIPF_EXPONENT = 1;

interface LookupMixes {
  /** Ranges of a million numbers by popularity, the r-th as popular as 1 / r. */
  readonly Zipf: () => number;
  /** Every range as popular as any. */
  readonly uniform: () => number;
  /** As uniform, without any listed number. */
  readonly unlisted: () => number;
  /** Any of the base. */
  readonly listed: () => number;
  /** Unlisted, too: together they touch every numbers column. */
  readonly besideAll: readonly number[];
}

/** @param runs the numbers of each run, ascending, the base last */
function lookupMixes(world: ServedWorld, runs: readonly Float64Array[], random: Random): LookupMixes {
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
  const isUnlisted = (number: number) => !isListed(number) && parseNumber(`+${number}`).ok;
  const unlistedIn = (range: () => number) =>
    unlisted(
      () => range() + random.below(RANGE_NUMBERS),
      (number) => !isUnlisted(number),
    );
  const mixed = (range: () => number) => () =>
    random.below(100) < LISTED_SHARE * 100 ? random.pick(base) : unlistedIn(range);
  return {
    Zipf: mixed(popular),
    uniform: mixed(any),
    unlisted: () => unlistedIn(any),
    listed: () => random.pick(base),
    besideAll: besideAllSegments(world, isUnlisted),
  };
}

/** Those of the numbers that are in another ascending list too. */
function numbersIn(numbers: Float64Array, others: Float64Array): number[] {
  return Array.from(numbers).filter((number) => has(others, number));
}

const KIB = 1024;
const MIB = 2 ** 20;
const FIRST_LOOKUPS = { full: 200, small: 40 };
const LOOKUPS = { full: 10_000, small: 2_000 };
/** More draws do not find a number whose verdicts are to be read. */
const TRIES_A_READ = 20;
const MILESTONES = [1, 10, 100, 1_000, 10_000];
const SEED = 7;

interface First {
  readonly kind: string;
  readonly isListed: boolean;
  readonly depth: number;
  readonly reads: number;
  readonly mostBytes: number;
}

/** Each by an isolate of its own. */
async function firstLookups(
  world: ServedWorld,
  kind: string,
  isListed: boolean,
  draw: () => number,
  count: number,
): Promise<First> {
  let [depth, reads, mostBytes] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const looked = await new ColdIsolate(world).lookup(draw());
    if (looked.isListed !== isListed) throw new Error(`a number that is ${kind} was found otherwise`);
    depth = Math.max(depth, looked.depth);
    reads = Math.max(reads, looked.reads);
    mostBytes = Math.max(mostBytes, looked.bytes);
  }
  return { kind, isListed, depth, reads, mostBytes };
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

/** Unlisted numbers that together touch every numbers column there is. */
function besideAllSegments({ manifest }: ServedWorld, isUnlisted: (number: number) => boolean): number[] {
  return manifest.runs.flatMap(({ segments }) =>
    segments.map(({ last }) => {
      // A segment has whole blocks.
      const block = blockStart(last);
      for (let i = 0; i < SEGMENT_ALIGNMENT; i++) if (isUnlisted(block + i)) return block + i;
      throw new Error('a block of the store has no number that is not listed');
    }),
  );
}

async function lookUpAll(isolate: ColdIsolate, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await isolate.lookup(number);
}

/** Lookups of a mix by one isolate, and then those of unlisted numbers alone with every numbers column in memory. */
async function warm(world: ServedWorld, mixes: LookupMixes, mix: 'Zipf' | 'uniform', count: number) {
  const draw = mixes[mix];

  const isolate = new ColdIsolate(world);
  const rows: Row[] = [];
  for (let done = 1; done <= count; done++) {
    await isolate.lookup(draw());
    if (!MILESTONES.includes(done) && done !== count) continue;
    const { reads, bytes } = isolate.reads;
    rows.push(
      row(`${mix} mix`, done, { depth: '', reads, readKiB: bytes / KIB, cacheKiB: isolate.peakCacheBytes / KIB }),
    );
  }
  await lookUpAll(isolate, mixes.besideAll);
  const before = isolate.reads.reads;
  for (let i = 0; i < count; i++) await isolate.lookup(mixes.unlisted());
  const warmed: Warmed = {
    rows,
    readsOnceWarm: isolate.reads.reads - before,
    peakCacheBytes: isolate.peakCacheBytes,
    numbersBytes: isolate.numbersBytes,
  };
  return warmed;
}

/** A listed number in an isolate that has all numbers columns in memory, but not the verdicts of this one. */
async function verdictsOnly(world: ServedWorld, mixes: LookupMixes, count: number): Promise<readonly [string, Read][]> {
  const isolate = new ColdIsolate(world);
  await lookUpAll(isolate, mixes.besideAll);
  const reading: Looked[] = [];
  // In a small store all verdicts are soon in memory.
  for (let tries = 0; tries < TRIES_A_READ * count && reading.length < count; tries++) {
    const looked = await isolate.lookup(mixes.listed());
    if (looked.reads > 0) reading.push(looked);
  }
  const of = (figure: (looked: Looked) => number) => reading.map(figure);
  const depth = peak(of((each) => each.depth));
  const mean = {
    depth,
    reads: round(sum(of((each) => each.reads)) / reading.length),
    readKiB: sum(of((each) => each.bytes)) / reading.length / KIB,
  };
  const most = { depth, reads: peak(of((each) => each.reads)), readKiB: peak(of((each) => each.bytes)) / KIB };
  return [
    ['listed, numbers in memory: mean', { ...mean, cacheKiB: '' }],
    ['listed, numbers in memory: most', { ...most, cacheKiB: '' }],
  ];
}

export async function run(size: BenchSize): Promise<BenchResult> {
  const world = await servedWorld(await ensureInventory(size));
  const random = new Random(SEED);
  const runs = await Promise.all(world.manifest.runs.map((each) => numbersOf(world, each)));
  const base = runs.at(-1) ?? new Float64Array();
  const newer = runs.slice(0, -1);
  const twice = newer.flatMap((numbers) => numbersIn(numbers, base));
  const mixes = lookupMixes(world, runs, random);

  const firstsIn = async (each: ServedWorld, when: string) => [
    await firstLookups(each, `unlisted${when}`, false, mixes.unlisted, FIRST_LOOKUPS[size]),
    await firstLookups(each, `listed in the base${when}`, true, () => random.pick(base), FIRST_LOOKUPS[size]),
    await firstLookups(each, `listed in two runs or more${when}`, true, () => random.pick(twice), FIRST_LOOKUPS[size]),
  ];
  const firsts = await firstsIn(world, '');
  const warmed = [await warm(world, mixes, 'Zipf', LOOKUPS[size]), await warm(world, mixes, 'uniform', LOOKUPS[size])];
  const known = await verdictsOnly(world, mixes, FIRST_LOOKUPS[size]);
  firsts.push(...(await firstsIn(await rewriteBase(world, size), ', base being rewritten')));
  const firstRows = firsts.map(({ kind, depth, reads, mostBytes }) =>
    row(kind, 1, { depth, reads, readKiB: mostBytes / KIB, cacheKiB: '' }),
  );
  return {
    name: 'cold',
    rows: [...firstRows, ...known.map(([what, read]) => row(what, 1, read)), ...warmed.flatMap(({ rows }) => rows)],
    bars: [
      ...firsts.flatMap(({ kind, isListed, depth, mostBytes }) => [
        atMost(`first lookup, ${kind}: reads in sequence`, depth, isListed ? 3 : 2),
        atMost(`first lookup, ${kind}: KiB read at most`, round(mostBytes / KIB), isListed ? 384 : 256),
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
