/**
 * The rows of the fortnight in order of time, with their circumstances. Of the first-time numbers an exact share comes
 * through each channel: which one is next is drawn from those that are left.
 */

import { hash32, mix32, Random } from '../../bench/support/random.ts';
import type { Channel } from '../../src/format/vocabulary.ts';
import { CIRCUMSTANCES, drawCircumstances, drawSource, drawSourceOf } from './circumstances.ts';
import type { Fortnight } from './fortnight.ts';
import { BLOCK_NUMBERS } from './ranges.ts';
import { FIRST_TIME_SHARES } from './synthesis-options.ts';

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
  /** An index of CIRCUMSTANCES. */
  circumstances = 0;
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
    this.circumstances = i < recaptured ? this.#knownWay(i) : this.#newWay();
    this.link = CIRCUMSTANCES[this.circumstances]?.channel === 'api_receiver' ? this.#linkOf() : null;
    return true;
  }

  #knownWay(i: number): number {
    if (this.#random.below(10) < SAME_WAY_OF_10) return this.#fortnight.known[i] ?? 0;
    return drawCircumstances(drawSource(this.#random), this.#random);
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
    return drawCircumstances(drawSourceOf(channel, ofBlock), random);
  }

  /** One number, one link: the token is a permutation of the number. */
  #linkOf(): string {
    const low = mix32(this.number ^ this.#seed);
    const high = mix32(Math.floor(this.number / 2 ** 32) ^ low);
    const source = CIRCUMSTANCES[this.circumstances]?.source ?? '';
    return `https://${HOSTS.charAt(low & 3)}.${source}.example/sms?token=${hex(low)}${hex(high)}`;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
