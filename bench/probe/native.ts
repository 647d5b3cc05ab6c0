/** The contenders that are native, and run in Node alone: SQLite and LMDB. */
import Database from 'better-sqlite3';
import { open, type RootDatabase } from 'lmdb';
import type { Contender } from './contenders.ts';

// SQLite through better-sqlite3, in memory: the number is the rowid, the fastest key SQLite has, and the statement is
// prepared once.

/** Numbers inserted by one statement, as a JSON array: far faster than one by one. */
const CHUNK = 100_000;

export class Sqlite implements Contender {
  readonly name = 'SQLite';
  readonly #database: Database.Database;
  readonly #find: Database.Statement;

  /** @param numbers ascending */
  constructor(numbers: Float64Array) {
    this.#database = new Database(':memory:');
    this.#database.exec('CREATE TABLE numbers (number INTEGER PRIMARY KEY)');
    const insert = this.#database.prepare('INSERT INTO numbers SELECT value FROM json_each(?)');
    this.#database.transaction(() => {
      for (let from = 0; from < numbers.length; from += CHUNK) {
        insert.run(`[${numbers.subarray(from, from + CHUNK).join()}]`);
      }
    })();
    this.#find = this.#database.prepare('SELECT 1 FROM numbers WHERE number = ?').pluck();
  }

  /** Bytes of all pages. */
  get bytes(): number {
    const pragma = (name: string) => Number(this.#database.pragma(name, { simple: true }));
    return pragma('page_count') * pragma('page_size');
  }

  answer(probes: Float64Array, out: Uint8Array): void {
    const find = this.#find;
    for (let i = 0; i < probes.length; i++) out[i] = find.get(probes[i]) === undefined ? 0 : 1;
  }

  close(): void {
    this.#database.close();
  }
}

// LMDB through lmdb-js, a file in memory-mapped pages. The key is the number as a double, the most significant byte
// first, so that keys are in number order; one buffer serves all probes, which is faster than lmdb-js's own encoding.

const EMPTY = Buffer.alloc(0);

const KEY_BYTES = 8;

export class Lmdb implements Contender {
  readonly name = 'LMDB';
  readonly #database: RootDatabase<Buffer, Buffer>;
  readonly #key = Buffer.alloc(KEY_BYTES);

  /**
   * @param numbers ascending
   * @param folder empty; the file stays there
   */
  constructor(numbers: Float64Array, folder: string) {
    this.#database = open<Buffer, Buffer>({ path: folder, encoding: 'binary', keyEncoding: 'binary', noSync: true });
    for (let from = 0; from < numbers.length; from += CHUNK) {
      this.#database.transactionSync(() => {
        for (const number of numbers.subarray(from, from + CHUNK)) {
          this.#database.putSync(this.#keyOf(number), EMPTY, { append: true });
        }
      });
    }
  }

  /** Bytes of the pages in use. */
  get bytes(): number {
    const stats = this.#database.getStats() as Record<string, number>;
    const pages = ['treeBranchPageCount', 'treeLeafPageCount', 'overflowPages'];
    return pages.reduce((sum, name) => sum + (stats[name] ?? 0), 0) * (stats.pageSize ?? 0);
  }

  answer(probes: Float64Array, out: Uint8Array): void {
    const database = this.#database;
    for (let i = 0; i < probes.length; i++) out[i] = database.doesExist(this.#keyOf(probes[i] as number)) ? 1 : 0;
  }

  #keyOf(number: number): Buffer {
    this.#key.writeDoubleBE(number);
    return this.#key;
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}
