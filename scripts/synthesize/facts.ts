/**
 * What the inventory says of a number: when it was first and last seen, how often, and its circumstances. Numbers of a
 * block come up about the same time and mostly from the same source. Drawn from the block and the number alone, so that
 * the fortnight finds the same facts again.
 */

import { mix32, Random } from '../../bench/support/random.ts';
import type { Block } from './blocks.ts';
import { drawCircumstances, drawSource, type Source } from './circumstances.ts';

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

export class FactDrawer {
  /** Days after the start of the history. */
  firstDay = 0;
  lastDay = 0;
  sightings = 1;
  /** An index of CIRCUMSTANCES. */
  circumstances = 0;
  readonly #random = new Random(0);
  #blockSeed = -1;
  #blockDay = 0;
  #source: Source = drawSource(this.#random);

  /** Fills in the facts of the `i`th number of a block. */
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
    this.circumstances = drawCircumstances(source, random);
  }
}
