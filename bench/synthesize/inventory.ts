/**
 * The inventory, number by number, in the order in which feeds might deliver it: many blocks are under way at any time,
 * and take turns at random.
 */

import { type Channel, INDUSTRIES, type Industry } from '../../src/format/attributes.ts';
import { hash32, mix32, Permutation, Random } from '../support/random.ts';
import { Block, BlockIndex, BlockReader, type Layout } from './layout.ts';

// How numbers were come by: label, channel, industry, project and source, in every combination that the feeds have,
// interned as small integers. Names are made up; the vocabularies are small, as those of real feeds are.
//
// A source has one channel. Only private API receivers name the project that a number serves ("one number, one
// project, one link"), and a project belongs to one industry.

interface SyntheticAttributes {
  readonly label: string;
  readonly channel: Channel;
  readonly industry: Industry;
  readonly project: string | null;
  readonly source: string;
}

interface SourceKind {
  readonly channel: Channel;
  readonly label: string;
  readonly name: string;
  readonly count: number;
  /** Of 1,000 blocks of the inventory. */
  readonly weight: number;
}

const SOURCE_KINDS: readonly SourceKind[] = [
  { channel: 'otp_marketplace', label: 'modem_pool_card', name: 'market', count: 18, weight: 800 },
  { channel: 'api_receiver', label: 'modem_pool_card', name: 'receiver', count: 10, weight: 120 },
  { channel: 'public_receiver', label: 'public_sms_receiver', name: 'public', count: 4, weight: 50 },
  { channel: 'number_trading', label: 'modem_pool_card', name: 'trade', count: 3, weight: 12 },
  { channel: 'access_tool', label: 'modem_pool_card', name: 'tool', count: 3, weight: 8 },
  { channel: 'other', label: 'reported_abuse', name: 'partner', count: 2, weight: 10 },
];

/** Of 1,000 numbers, in the published order; the shares themselves are chosen. In the order of INDUSTRIES. */
const INDUSTRY_WEIGHTS: readonly number[] = [340, 230, 150, 110, 60, 50, 30, 20, 10];
const THOUSAND = 1000;
const PROJECTS = 300;

const two = (n: number): string => String(n).padStart(2, '0');

/** The place of a number below 1,000 among weights that add up to it. */
function pick(weights: readonly number[], below1000: number): number {
  let left = below1000;
  const found = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return Math.max(0, found);
}

const CHANNEL_OF_THOUSAND = Uint8Array.from({ length: THOUSAND }, (_, i) =>
  pick(
    SOURCE_KINDS.map(({ weight }) => weight),
    i,
  ),
);
const INDUSTRY_OF_THOUSAND = Uint8Array.from({ length: THOUSAND }, (_, i) => pick(INDUSTRY_WEIGHTS, i));

/** Projects are shared out among industries as numbers are. */
const projectIndustry = (project: number): number =>
  INDUSTRY_OF_THOUSAND[Math.floor((project * THOUSAND) / PROJECTS)] ?? 0;

interface Source {
  readonly channel: Channel;
  /** Its first attributes: one for each industry, or for each project. */
  readonly first: number;
}

const table: SyntheticAttributes[] = [];
const sourcesByKind: readonly (readonly Source[])[] = internAll();
/** By what `drawAttributes` returns. */
export const ATTRIBUTES: readonly SyntheticAttributes[] = table;

function internAll(): Source[][] {
  return SOURCE_KINDS.map(({ channel, label, name, count }) =>
    Array.from({ length: count }, (_, i) => {
      const first = table.length;
      const source = `${name}-${two(i + 1)}`;
      const variants = channel === 'api_receiver' ? PROJECTS : INDUSTRIES.length;
      for (let variant = 0; variant < variants; variant++) {
        const project = channel === 'api_receiver' ? `project-${String(variant + 1).padStart(3, '0')}` : null;
        const industry = INDUSTRIES[project === null ? variant : projectIndustry(variant)] ?? 'other';
        table.push({ label, channel, industry, project, source });
      }
      return { channel, first };
    }),
  );
}

/** Draws the source that most of a block comes from. */
export function drawSource(random: Random): Source {
  return sourceAmong(CHANNEL_OF_THOUSAND[random.below(THOUSAND)] ?? 0, random);
}

/** Draws one of a channel's sources. */
export function drawSourceOf(channel: Channel, random: Random): Source {
  return sourceAmong(
    SOURCE_KINDS.findIndex((kind) => kind.channel === channel),
    random,
  );
}

function sourceAmong(kind: number, random: Random): Source {
  const sources = sourcesByKind[kind] ?? [];
  const source = sources[random.below(sources.length)];
  if (source === undefined) throw new Error(`expected one of ${SOURCE_KINDS.length} kinds of sources; found ${kind}`);
  return source;
}

/** Draws what else there is to say of a number of a source. */
export function drawAttributes(source: Source, random: Random): number {
  if (source.channel === 'api_receiver') return source.first + random.below(PROJECTS);
  return source.first + (INDUSTRY_OF_THOUSAND[random.below(THOUSAND)] ?? 0);
}

// What the inventory says of a number: when it was first and last seen, how often, and its attributes. Numbers of a
// block come up about the same time and mostly from the same source. Drawn from the block and the number alone, so that
// the fortnight finds the same values again.

const DAY_SECONDS = 86_400;
export const HISTORY_START_SECONDS = Date.UTC(2022, 0, 1) / 1000;
export const FORTNIGHT_START_SECONDS = Date.UTC(2025, 4, 16) / 1000;
/** The inventory's days: from the first of 2022 up to the day before the fortnight. */
export const HISTORY_DAYS = (FORTNIGHT_START_SECONDS - HISTORY_START_SECONDS) / DAY_SECONDS;

/** Days over which the numbers of one block come up. */
const BLOCK_SPREAD_DAYS = 45;
/** Of 20 numbers, how many are seen on one day only. */
const SEEN_ONCE_OF_20 = 9;
const MAX_SIGHTINGS = 60;
/** One number in so many comes from another source than its block. */
const OTHER_SOURCE = 8;

export class RecordDrawer {
  /** Days after the start of the history. */
  firstDay = 0;
  lastDay = 0;
  sightings = 1;
  /** An index of ATTRIBUTES. */
  attributes = 0;
  readonly #random = new Random(0);
  #blockSeed = -1;
  #blockDay = 0;
  #source: Source = drawSource(this.#random);

  /** Fills in what is said of the `i`th number of a block. */
  draw(block: Block, i: number): void {
    const random = this.#random;
    if (block.seed !== this.#blockSeed) {
      this.#blockSeed = block.seed;
      random.restart(~block.seed);
      // The later of two days drawn at random: the number of new numbers a day grows evenly from 2022 on.
      this.#blockDay = Math.max(random.below(HISTORY_DAYS), random.below(HISTORY_DAYS));
      this.#source = drawSource(random);
    }
    random.restart(mix32(block.seed ^ Math.imul((block.offsets[i] ?? 0) + 1, 0x9e3779b1)));
    const lastDay = HISTORY_DAYS - 1;
    const firstDay = Math.min(lastDay, this.#blockDay + random.below(BLOCK_SPREAD_DAYS));
    const span = lastDay - firstDay + 1;
    this.firstDay = firstDay;
    if (i < block.recaptured) {
      // What is seen again was mostly seen not long ago.
      this.lastDay = lastDay - Math.min(random.below(span), random.below(span), random.below(span));
    } else {
      this.lastDay =
        random.below(20) < SEEN_ONCE_OF_20 ? firstDay : firstDay + Math.min(random.below(span), random.below(span));
    }
    const most = Math.min(MAX_SIGHTINGS, 1 + this.lastDay - firstDay);
    // Seen on two days is seen twice.
    const least = this.lastDay === firstDay ? 1 : 2;
    this.sightings = least + Math.min(random.below(most), random.below(most));
    const source = random.below(OTHER_SOURCE) === 0 ? drawSource(random) : this.#source;
    this.attributes = drawAttributes(source, random);
  }
}

/** Blocks under way at a time: 2 KB each. */
const OPEN_BLOCKS = 1024;

interface OpenBlock {
  readonly block: Block;
  /** Of its numbers, the first that is still to come. */
  next: number;
}

/** Walks the inventory once. After `next()` has answered true, `number` and `record` are the next number's. */
export class InventoryWalk {
  number = 0;
  readonly record = new RecordDrawer();
  readonly #index: BlockIndex;
  readonly #reader: BlockReader;
  readonly #order: Permutation;
  readonly #random: Random;
  readonly #open: OpenBlock[] = [];
  #nextBlock = 0;

  constructor(layout: Layout) {
    this.#index = new BlockIndex(layout.groups);
    this.#reader = new BlockReader(layout);
    this.#order = new Permutation(this.#index.blocks, hash32(layout.seed, 1, 1));
    this.#random = new Random(hash32(layout.seed, 1, 2));
    while (this.#open.length < OPEN_BLOCKS && this.#nextBlock < this.#index.blocks) {
      const open = { block: new Block(), next: 0 };
      this.#fill(open);
      this.#open.push(open);
    }
  }

  next(): boolean {
    const open = this.#open;
    if (open.length === 0) return false;
    const turn = this.#random.below(open.length);
    const current = open[turn];
    if (current === undefined) return false;
    const { block } = current;
    const i = current.next++;
    this.number = block.firstNumber + (block.offsets[i] ?? 0);
    this.record.draw(block, i);
    if (current.next === block.size) {
      if (this.#nextBlock < this.#index.blocks) this.#fill(current);
      else {
        const last = open.pop();
        if (last !== undefined && turn < open.length) open[turn] = last;
      }
    }
    return true;
  }

  #fill(open: OpenBlock): void {
    this.#index.read(this.#order.at(this.#nextBlock++), this.#reader, open.block);
    open.next = 0;
  }
}
