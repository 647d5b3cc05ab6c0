/**
 * The fortnight 2025-05-16..30: numbers of the inventory that are captured again, and first-time numbers, some in
 * blocks that the inventory knows, most in blocks it does not. 16 bytes are held for each.
 */

import { hash32, Random } from '../../bench/support/random.ts';
import { allocateKinds } from './allocate.ts';
import { Block, BlockReader } from './blocks.ts';
import { FactDrawer } from './facts.ts';
import { KINDS, spareOffsets } from './kinds.ts';
import { type Group, groupsOf, type Layout } from './layout.ts';
import { numbersByCountry, roomIn } from './origins.ts';
import { SynthesisError } from './synthesis-error.ts';
import type { SynthesisOptions } from './synthesis-options.ts';
import { drawDay, drawSecond, FORTNIGHT_DAYS } from './times.ts';

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
export interface Fortnight {
  readonly recaptured: number;
  readonly numbers: Float64Array;
  /** Seconds after the start of the fortnight. */
  readonly seconds: Uint32Array;
  /** Of those captured again: their circumstances in the inventory. */
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
    const facts = new FactDrawer();
    for (let index = 0; index < group.recaptures.length; index++) {
      this.#reader.read(group, index, this.#block);
      for (let i = 0; i < this.#block.recaptured; i++) {
        facts.draw(this.#block, i);
        this.#plan.known[this.#count] = facts.circumstances;
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
