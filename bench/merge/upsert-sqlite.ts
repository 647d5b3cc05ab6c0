/**
 * The same merge as an upsert into SQLite, in the same process as nothing else; prints one line of JSON.
 *
 *   node upsert-sqlite.ts FOLDER FORTNIGHT.csv TICKS
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openHead } from '../../src/format/segment.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { readHead } from '../../src/storage/slices.ts';
import { openStores } from '../support/inventory.ts';

export interface UpsertFigures {
  readonly cpuSeconds: number;
  readonly numbers: number;
  readonly sightings: number;
  readonly fileBytes: number;
}

const [folder = '', fortnightCsv = '', ticks = ''] = process.argv.slice(2);
const file = join(folder, 'upsert.sqlite');
for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
const database = new Database(file);
// As fast as SQLite can be while a crash of the process still loses nothing.
database.pragma('journal_mode = WAL');
database.pragma('synchronous = NORMAL');
database.pragma('cache_size = -262144');
database.exec(
  'CREATE TABLE records (number INTEGER PRIMARY KEY, first INTEGER, last INTEGER, sightings INTEGER, profile INTEGER)',
);
const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?)');
const { objects } = openStores(folder);
let sightingsBefore = 0;
for (const entry of (await loadManifest(objects)).manifest.runs.flatMap(({ segments }) => segments)) {
  const { numbers, verdicts } = await openHead(await readHead(objects, entry), entry, UNPACED);
  database.transaction(() => {
    numbers.all().forEach((number, rank) => {
      const sightings = verdicts.sightings(rank);
      sightingsBefore += sightings;
      insert.run(number, verdicts.firstDay(rank), verdicts.lastDay(rank), sightings, verdicts.profileId(rank));
    });
  })();
}

const upsert = database.prepare(`INSERT INTO records VALUES (?, ?, ?, 1, ?)
  ON CONFLICT (number) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),
  sightings = sightings + 1, profile = excluded.profile`);
const rows = readFileSync(fortnightCsv, 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [number = '', observedAt = ''] = line.split(',', 2);
    return [Number(number.slice(1)), Math.floor(Date.parse(observedAt) / 86_400_000)] as const;
  });
const perTick = Math.ceil(rows.length / Number(ticks));
const start = process.cpuUsage();
for (let from = 0; from < rows.length; from += perTick) {
  // In number order, as the merge takes them: SQLite too is faster so.
  const share = rows.slice(from, from + perTick).sort((a, b) => a[0] - b[0]);
  database.transaction(() => {
    for (const [number, day] of share) upsert.run(number, day, day, 0);
  })();
}
database.pragma('wal_checkpoint(TRUNCATE)');
const { user, system } = process.cpuUsage(start);
const total = database.prepare('SELECT count(*) AS numbers, sum(sightings) AS sightings FROM records').get() as {
  numbers: number;
  sightings: number;
};
const pages = database.pragma('page_count', { simple: true }) as number;
const pageBytes = database.pragma('page_size', { simple: true }) as number;
const figures: UpsertFigures = {
  cpuSeconds: (user + system) / 1e6,
  numbers: total.numbers,
  sightings: total.sightings - sightingsBefore,
  fileBytes: pages * pageBytes,
};
database.close();
rmSync(file, { force: true });
console.log(JSON.stringify(figures));
