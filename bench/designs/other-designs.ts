/** What one KV key a number, and rows in D1, are billed as: samples on the local simulation of both (worker.ts). */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestHarness } from 'wrangler';
import { compatibilityDate } from '../../scripts/command/paths.ts';
import { QUIET } from '../../scripts/local/wrangler.ts';
import { lowerBound } from '../../src/lib/sorted.ts';
import type { Usage } from '../simulate/prices.ts';
import type { Billed, Task } from './worker.ts';

// Runs worker.ts on the local simulation of KV and D1.

interface Platform {
  perform(task: Task, numbers: readonly number[]): Promise<Billed>;
  stop(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  // No report of use, no look for a newer version: the benchmark runs offline.
  Object.assign(process.env, QUIET);
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-designs-'));
  const configPath = join(folder, 'wrangler.json');
  writeFileSync(
    configPath,
    JSON.stringify({
      name: 'designs',
      main: join(import.meta.dirname, 'worker.ts'),
      compatibility_date: compatibilityDate(),
      kv_namespaces: [{ binding: 'KV', id: 'numbers' }],
      d1_databases: [{ binding: 'D1', database_name: 'numbers', database_id: 'numbers' }],
    }),
  );
  const server = createTestHarness({ workers: [{ configPath }] });
  await server.listen();
  return {
    async perform(task, numbers) {
      const response = await server.fetch(`/${task}`, { method: 'POST', body: JSON.stringify(numbers) });
      if (!response.ok) throw new Error(`${task}: status ${response.status}: ${await response.text()}`);
      return (await response.json()) as Billed;
    },
    async stop() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

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
