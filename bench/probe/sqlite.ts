/**
 * SQLite through better-sqlite3, in memory: the number is the rowid, the fastest key SQLite has, and the statement is
 * prepared once.
 */
import Database from 'better-sqlite3';
import type { Contender } from './contender.ts';

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
