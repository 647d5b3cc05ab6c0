/** build: the inventory from CSV, beside `sort -u` of the same file and an upsert of it into SQLite. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compactFully, drain } from '../../src/merge/rebuild.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../src/storage/memory.ts';
import { atLeast, atMost, type Bar, type BenchResult, type BenchSize, type Row, round } from '../report.ts';
import { runApart } from '../support/apart.ts';
import {
  type BenchInventory,
  batchOf,
  benchContext,
  columnsSha256,
  ensureInventory,
  uploadsOf,
} from '../support/inventory.ts';
import type { BuildFigures } from './build-folder.ts';

const MIB = 2 ** 20;

export async function run(size: BenchSize): Promise<BenchResult> {
  const inventory = await ensureInventory(size);
  mkdirSync(inventory.folder, { recursive: true });
  const scratch = mkdtempSync(join(inventory.folder, 'build-'));
  try {
    return await compare(size, inventory, scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function compare(size: BenchSize, inventory: BenchInventory, scratch: string): Promise<BenchResult> {
  const { inventoryCsv, options } = inventory;
  const script = (name: string) => join(import.meta.dirname, name);
  const built = await runApart(process.execPath, [script('build-folder.ts'), inventoryCsv, scratch]);
  const { summary, cpuSeconds, wallSeconds, sha256 }: BuildFigures = JSON.parse(built.stdout);
  const sorted = await sortUnique(inventoryCsv, scratch);
  const inserted = await runApart(process.execPath, [script('build-sqlite.ts'), inventoryCsv, scratch]);
  const sqlite: { numbers: number; cpuSeconds: number } = JSON.parse(inserted.stdout);

  const row = (build: string, cpu: number, wall: number, peakBytes: number, result: string): Row => ({
    build,
    'wall s': round(wall),
    'CPU s': round(cpu),
    'rows a second': Math.round(options.numbers / wall),
    'peak MiB': Math.round(peakBytes / MIB),
    result,
  });
  const bars: Bar[] = [
    atMost('MiB resident at most', Math.round(built.peakBytes / MIB), 900),
    atLeast('rows accepted, of those in the file', summary.accepted, options.numbers),
    atLeast('numbers, and SQLite has as many', Math.min(summary.numbers, sqlite.numbers), options.numbers),
  ];
  if (size === 'full') {
    bars.unshift(
      atMost(
        'seconds from CSV to a published inventory, in those of sort -u',
        round(wallSeconds / sorted.wallSeconds),
        1.2,
      ),
    );
  } else {
    bars.push(atLeast('the bytes are those that ticks make', Number(sha256 === (await mergedSha256(inventoryCsv))), 1));
  }
  return {
    name: 'build',
    rows: [
      row('npm run build-inventory', cpuSeconds, wallSeconds, built.peakBytes, `${summary.numbers} numbers published`),
      row('sort -u, 1 GiB, 2 threads', sorted.cpuSeconds, sorted.wallSeconds, sorted.peakBytes, 'a sorted text file'),
      row('SQLite upsert', sqlite.cpuSeconds, inserted.wallSeconds, inserted.peakBytes, `a table of ${sqlite.numbers}`),
    ],
    bars,
  };
}

/** GNU sort by number, each number once: its first line, so that nothing is folded. */
async function sortUnique(csv: string, scratch: string) {
  const out = join(scratch, 'sorted.csv');
  const sort = `sort -u -t, -k1,1 -S 1G --parallel=2 -T '${scratch}' -o '${out}' '${csv}'`;
  // bash tells the user and system time of what it ran.
  const timed = await runApart('bash', ['-c', `TIMEFORMAT='%U %S'; { time ${sort}; } 2>&1 & child=$!; ${WATCH}`], {
    LC_ALL: 'C',
  });
  rmSync(out, { force: true });
  const [peakKiB = 0] = (timed.stdout.match(/^peak (\d+)$/m) ?? []).slice(1).map(Number);
  const [user = 0, system = 0] = (timed.stdout.match(/^([\d.]+) ([\d.]+)$/m) ?? []).slice(1).map(Number);
  return { cpuSeconds: user + system, wallSeconds: timed.wallSeconds, peakBytes: peakKiB * 1024 };
}

/** The high-water mark of the sort that the shell runs, as long as it runs. */
const WATCH = `peak=0; while kill -0 $child 2>/dev/null; do
  for pid in $(pgrep -P $child sort); do
    now=$(sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status 2>/dev/null); [ "\${now:-0}" -gt $peak ] && peak=$now
  done; sleep 0.05; done; wait $child; echo peak $peak`;

/** The same file by uploads and ticks, compacted into one run. */
async function mergedSha256(csv: string): Promise<string> {
  const objects = new MemoryObjectStore();
  const context = benchContext({ objects, slices: new MemorySliceStore() });
  for (const [i, text] of uploadsOf(csv, 1).flat().entries()) {
    await objects.put(`${WAITING_PREFIX}${i}`, await batchOf(text));
  }
  await drain(context);
  await compactFully(context);
  return columnsSha256(objects);
}
