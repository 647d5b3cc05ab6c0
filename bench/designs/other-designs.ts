/** What one KV key a number, and rows in D1, are billed as: samples on the local simulation of both (worker.ts). */
import type { Usage } from '../../scripts/simulate/prices.ts';
import { lowerBound } from '../probe/sorted-array.ts';
import type { Platform } from './platform.ts';
import type { Billed, Task } from './worker.ts';

/** Bytes are of values or records; keys are not counted. */
export interface Done {
  readonly usage: Usage;
  readonly bytes: number;
  readonly listed: readonly number[];
}

/** Numbers handed to a task in one request. */
const PART = 1_000;
const BLOCK = 100;

export class OtherDesigns {
  readonly #platform: Platform;
  readonly #numbers: Float64Array;
  readonly #inKv = new Set<number>();
  readonly #inD1 = new Set<number>();

  /** @param numbers listed ones, ascending */
  constructor(platform: Platform, numbers: Float64Array) {
    this.#platform = platform;
    this.#numbers = numbers;
  }

  /**
   * Stores what the lookups can find: of the listed numbers, for KV those that are asked for, for D1 also those in the
   * same hundred-blocks. What is not asked for is billed to nobody.
   */
  async prepare(lookups: readonly number[]): Promise<{ readonly kv: Done; readonly d1: Done }> {
    const blocks = new Set(lookups.map((number) => number - (number % BLOCK)));
    const near = [...blocks].flatMap((from) => this.#listedIn(from, from + BLOCK));
    const asked = new Set(lookups);
    const kv = near.filter((number) => asked.has(number) && !this.#inKv.has(number));
    const d1 = near.filter((number) => !this.#inD1.has(number));
    for (const number of kv) this.#inKv.add(number);
    for (const number of d1) this.#inD1.add(number);
    return { kv: await this.perform('kv/load', kv), d1: await this.perform('d1/load', d1) };
  }

  async perform(task: Task, numbers: readonly number[]): Promise<Done> {
    const sum = { kvReads: 0, kvWrites: 0, d1RowsRead: 0, d1RowsWritten: 0 };
    const listed: number[] = [];
    let bytes = 0;
    for (let from = 0; from < numbers.length || from === 0; from += PART) {
      const billed: Billed = await this.#platform.perform(task, numbers.slice(from, from + PART));
      for (const unit of ['kvReads', 'kvWrites', 'd1RowsRead', 'd1RowsWritten'] as const) sum[unit] += billed[unit];
      bytes += billed.bytes;
      for (const number of billed.listed) listed.push(number);
    }
    return { usage: sum, bytes, listed };
  }

  #listedIn(from: number, to: number): number[] {
    return [...this.#numbers.subarray(lowerBound(this.#numbers, from), lowerBound(this.#numbers, to))];
  }
}
