/**
 * The same file into SQLite, in a process of its own; prints one line of JSON.
 *
 *   node build-sqlite.ts FILE.csv SCRATCH
 */
import { createReadStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';

const ROWS_A_TRANSACTION = 100_000;

const [file = '', scratch = ''] = process.argv.slice(2);
const path = join(scratch, 'build.sqlite');
rmSync(path, { force: true });
const database = new Database(path);
// A build can be done again: nothing is journaled, and the cache is what the bulk build may hold.
database.pragma('journal_mode = OFF');
database.pragma('synchronous = OFF');
database.pragma('cache_size = -1048576');
database.exec(
  'CREATE TABLE records (number INTEGER PRIMARY KEY, first INTEGER, last INTEGER, sightings INTEGER, rest TEXT)',
);
const upsert = database.prepare(`INSERT INTO records VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (number) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),
  sightings = sightings + excluded.sightings`);
const days = new Map<string, number>();
function dayOf(text: string): number {
  const known = days.get(text);
  if (known !== undefined) return known;
  const day = Math.floor(Date.parse(text) / 86_400_000);
  days.set(text, day);
  return day;
}

let pending: string[] = [];
const flush = database.transaction(() => {
  for (const line of pending) {
    const [number = '', first = '', last = '', sightings = '', ...rest] = line.split(',');
    upsert.run(Number(number.slice(1)), dayOf(first), dayOf(last), Number(sightings), rest.join(','));
  }
  pending = [];
});
let isHeader = true;
for await (const line of createInterface({ input: createReadStream(file) })) {
  if (!isHeader) pending.push(line);
  isHeader = false;
  if (pending.length === ROWS_A_TRANSACTION) flush();
}
flush();
const { numbers } = database.prepare('SELECT count(*) AS numbers FROM records').get() as { numbers: number };
database.close();
rmSync(path, { force: true });
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ numbers, cpuSeconds: (user + system) / 1e6 }));
