/**
 * The fortnight 2025-05-16..30: numbers of the inventory that are captured again, and first-time numbers, some in
 * blocks that the inventory knows, most in blocks it does not. 16 bytes are held for each.
 */

import type { Channel } from '../../src/format/attributes.ts';
import { hash32, mix32, Random } from '../support/random.ts';
import { ATTRIBUTES, drawAttributes, drawSource, drawSourceOf, RecordDrawer } from './inventory.ts';
import { allocateKinds, KINDS, spareOffsets } from './kinds.ts';
import {
  Block,
  BlockReader,
  FIRST_TIME_SHARES,
  type Group,
  groupsOf,
  type Layout,
  numbersByCountry,
  roomIn,
  SynthesisError,
  type SynthesisOptions,
} from './layout.ts';
import { BLOCK_NUMBERS } from './number-ranges.ts';

// When in the fortnight something was observed.

/** 2025-05-16 to 2025-05-30, both included, in UTC. */
export const FORTNIGHT_DAYS = 15;
const DAY_SECONDS = 86_400;
/** By day, of 200: the 16th was a Friday, and weekends are quieter. Chosen, not published. */
const DAY_WEIGHTS: readonly number[] = [14, 11, 10, 14, 14, 15, 14, 14, 11, 10, 14, 15, 15, 15, 14];
const WEIGHT_SUM = DAY_WEIGHTS.reduce((sum, weight) => sum + weight, 0);
const DAY_OF = Uint8Array.from(DAY_WEIGHTS.flatMap((weight, day) => new Array<number>(weight).fill(day)));

/** A day of the fortnight, from 0. */
function drawDay(random: Random): number {
  return DAY_OF[random.below(WEIGHT_SUM)] ?? 0;
}

/** A second of that day, after the start of the fortnight; noon is busiest. */
function drawSecond(day: number, random: Random): number {
  return day * DAY_SECONDS + Math.floor((random.below(DAY_SECONDS) + random.below(DAY_SECONDS)) / 2);
}

/**
 * Of first-time numbers, those that are sought in hundred-blocks where the inventory knows LEAST_KNOWN or more. With
 * the fresh blocks that come up over several days, about 22 % have so many known neighbours the day before, as in the
 * real history.
 */
const IN_KNOWN_BLOCKS = 0.09;
const LEAST_KNOWN = 3;
/** Of a country's free blocks, those that fresh numbers should take at most. */
const FRESH_BLOCKS = 0.9;
/** Days over which the numbers of a fresh block come up. */
const FRESH_SPREAD_DAYS = 4;

/** The first `recaptured` entries are of numbers captured again, the others first-time. */
interface Fortnight {
  readonly recaptured: number;
  readonly numbers: Float64Array;
  /** Seconds after the start of the fortnight. */
  readonly seconds: Uint32Array;
  /** Of those captured again: their attributes in the inventory. */
  readonly known: Uint16Array;
}

export function planFortnight(layout: Layout, options: SynthesisOptions): Fortnight {
  return new Planner(layout, options).plan();
}

class Planner {
  readonly #layout: Layout;
  readonly #options: SynthesisOptions;
  readonly #reader: BlockReader;
  readonly #block = new Block();
  readonly #random: Random;
  readonly #plan: Fortnight;
  #count = 0;

  constructor(layout: Layout, options: SynthesisOptions) {
    this.#layout = layout;
    this.#options = options;
    this.#reader = new BlockReader(layout);
    this.#random = new Random(hash32(layout.seed, 2, 1));
    const { captured, firstTime } = options;
    this.#plan = {
      recaptured: captured - firstTime,
      numbers: new Float64Array(captured),
      seconds: new Uint32Array(captured),
      known: new Uint16Array(captured - firstTime),
    };
  }

  plan(): Fortnight {
    for (const group of this.#layout.groups) this.#recapture(group);
    const firstTime = this.#firstTimeByCountry();
    const inKnown = firstTime.map((numbers, country) => this.#addToKnownBlocks(country, numbers));
    this.#addFreshBlocks(firstTime.map((numbers, country) => numbers - (inKnown[country] ?? 0)));
    if (this.#count !== this.#options.captured) {
      throw new Error(`expected ${this.#options.captured} captured numbers; found ${this.#count}`);
    }
    return this.#plan;
  }

  #recapture(group: Group): void {
    const record = new RecordDrawer();
    for (let index = 0; index < group.recaptures.length; index++) {
      this.#reader.read(group, index, this.#block);
      for (let i = 0; i < this.#block.recaptured; i++) {
        record.draw(this.#block, i);
        this.#plan.known[this.#count] = record.attributes;
        this.#add(this.#block.offsets[i] ?? 0, drawDay(this.#random));
      }
    }
  }

  #free(country: number): number {
    return (this.#layout.ranges[country]?.blocks ?? 0) - (this.#layout.firstFree[country] ?? 0);
  }

  #firstTimeByCountry(): number[] {
    const { ranges } = this.#layout;
    const room = ranges.map((_, country) => roomIn(this.#free(country)));
    return numbersByCountry(this.#options.firstTime, 'captured', ranges, room);
  }

  /** @returns how many of a country's first-time numbers found a place beside known ones */
  #addToKnownBlocks(country: number, firstTime: number): number {
    const wanted = Math.round(firstTime * IN_KNOWN_BLOCKS);
    let left = wanted;
    for (const group of this.#layout.groups) {
      if (group.country !== country) continue;
      // No part of these kinds has enough numbers.
      if (!KINDS[group.kind]?.parts.some(({ fill }) => fill[1] >= LEAST_KNOWN)) continue;
      for (let index = 0; index < group.blocks && left > 0; index++) {
        this.#reader.read(group, index, this.#block);
        const { offsets, size } = this.#block;
        const spare = spareOffsets(offsets.subarray(0, size), LEAST_KNOWN, this.#random);
        const taken = Math.min(left, Math.ceil(this.#random.below(spare.length + 1) / 4));
        for (const offset of spare.slice(0, taken)) this.#add(offset, drawDay(this.#random));
        left -= taken;
      }
    }
    return wanted - left;
  }

  #addFreshBlocks(numbers: readonly number[]): void {
    const { seed, firstFree, ranges } = this.#layout;
    const byKind = allocateKinds(
      numbers,
      KINDS.map(({ freshShare }) => freshShare),
      ranges.map((_, country) => this.#free(country) * FRESH_BLOCKS),
    );
    for (const [country, row] of byKind.entries()) {
      const { groups, end } = groupsOf(seed, country, row, 0, firstFree[country]);
      if (end > (ranges[country]?.blocks ?? 0)) {
        throw new SynthesisError(`the number plans have no room for ${this.#options.firstTime} first-time numbers`);
      }
      for (const group of groups) this.#addFreshGroup(group);
    }
  }

  #addFreshGroup(group: Group): void {
    for (let index = 0; index < group.blocks; index++) {
      this.#reader.read(group, index, this.#block);
      const day = drawDay(this.#random);
      for (const offset of this.#block.offsets.subarray(0, this.#block.size)) {
        this.#add(offset, Math.min(FORTNIGHT_DAYS - 1, day + this.#random.below(FRESH_SPREAD_DAYS)));
      }
    }
  }

  #add(offset: number, day: number): void {
    this.#plan.numbers[this.#count] = this.#block.firstNumber + offset;
    this.#plan.seconds[this.#count] = drawSecond(day, this.#random);
    this.#count++;
  }
}

// The rows of the fortnight in order of time, with their attributes. Of the first-time numbers an exact share comes
// through each channel: which one is next is drawn from those that are left.

/** Of 10 numbers captured again, so many come the way they came before. */
const SAME_WAY_OF_10 = 7;
/** Each source of links has four hosts. */
const HOSTS = 'abcd';
const OTHER_CHANNELS: readonly Channel[] = ['public_receiver', 'number_trading', 'access_tool', 'other'];

/** Walks the fortnight once. After `next()` has answered true, the fields are the next row's. */
export class CaptureWalk {
  number = 0;
  /** After the start of the fortnight. */
  seconds = 0;
  /** An index of ATTRIBUTES. */
  attributes = 0;
  link: string | null = null;
  readonly #fortnight: Fortnight;
  readonly #seed: number;
  readonly #order: Float64Array;
  readonly #random: Random;
  /** How many first-time numbers are still to come through each of the two channels, and in all. */
  #otpLeft: number;
  #apiLeft: number;
  #left: number;
  #at = 0;

  constructor(fortnight: Fortnight, seed: number) {
    const { numbers, seconds, recaptured } = fortnight;
    const captured = numbers.length;
    this.#fortnight = fortnight;
    this.#seed = hash32(seed, 3, 1);
    this.#random = new Random(hash32(seed, 3, 2));
    this.#left = captured - recaptured;
    this.#otpLeft = Math.round(this.#left * FIRST_TIME_SHARES.otp_marketplace);
    this.#apiLeft = Math.min(this.#left - this.#otpLeft, Math.round(this.#left * FIRST_TIME_SHARES.api_receiver));
    // Time and place in one sortable number, exact below 2^53: 1.3 * 10^6 seconds by at most 10^7 numbers.
    this.#order = Float64Array.from(seconds, (second, i) => second * captured + i).sort();
  }

  next(): boolean {
    const { numbers, seconds, recaptured } = this.#fortnight;
    if (this.#at === this.#order.length) return false;
    const i = (this.#order[this.#at++] ?? 0) % numbers.length;
    this.number = numbers[i] ?? 0;
    this.seconds = seconds[i] ?? 0;
    this.attributes = i < recaptured ? this.#knownWay(i) : this.#newWay();
    this.link = ATTRIBUTES[this.attributes]?.channel === 'api_receiver' ? this.#linkOf() : null;
    return true;
  }

  #knownWay(i: number): number {
    if (this.#random.below(10) < SAME_WAY_OF_10) return this.#fortnight.known[i] ?? 0;
    return drawAttributes(drawSource(this.#random), this.#random);
  }

  #newWay(): number {
    const random = this.#random;
    const drawn = random.below(this.#left--);
    let channel = OTHER_CHANNELS[random.below(OTHER_CHANNELS.length)] ?? 'other';
    if (drawn < this.#otpLeft) {
      this.#otpLeft--;
      channel = 'otp_marketplace';
    } else if (drawn < this.#otpLeft + this.#apiLeft) {
      this.#apiLeft--;
      channel = 'api_receiver';
    }
    // The numbers of a block that come through one channel come from one source.
    const ofBlock = new Random(hash32(this.#seed, Math.floor(this.number / BLOCK_NUMBERS)));
    return drawAttributes(drawSourceOf(channel, ofBlock), random);
  }

  /** One number, one link: the token is a permutation of the number. */
  #linkOf(): string {
    const low = mix32(this.number ^ this.#seed);
    const high = mix32(Math.floor(this.number / 2 ** 32) ^ low);
    const source = ATTRIBUTES[this.attributes]?.source ?? '';
    return `https://${HOSTS.charAt(low & 3)}.${source}.example/sms?token=${hex(low)}${hex(high)}`;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
