/**
 * A bulk build into a folder, in a process of its own; prints one line of JSON.
 *
 *   node build-folder.ts FILE.csv FOLDER
 */
import { join } from 'node:path';
import { BUILD_PROGRESS, type BuildSummary, buildInventory } from '../../scripts/build-inventory/build.ts';
import { WorkerPool } from '../../scripts/build-inventory/tasks.ts';
import { Progress } from '../../scripts/command/progress.ts';
import { DEFAULT_LEVELS } from '../../src/policy/ageing.ts';
import { benchContext, columnsSha256, openStores } from '../support/inventory.ts';

export interface BuildFigures {
  readonly summary: BuildSummary;
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Of the columns of the run, as bench/merge hashes them. */
  readonly sha256: string;
}

const [file = '', folder = ''] = process.argv.slice(2);
const stores = openStores(folder);
const runner = new WorkerPool(2);
const out = { isTerminal: false, write: (text: string) => process.stderr.write(text) };
const progress = new Progress(out, Date.now, BUILD_PROGRESS);
const start = performance.now();
const summary = await buildInventory(
  {
    files: [file],
    labels: Object.keys(DEFAULT_LEVELS),
    workFolder: join(folder, 'work'),
    rejectsPath: join(folder, 'rejects.csv'),
  },
  { context: benchContext(stores), runner, progress },
);
await runner.close();
const { user, system } = process.cpuUsage();
const figures: BuildFigures = {
  summary,
  cpuSeconds: (user + system) / 1e6,
  wallSeconds: (performance.now() - start) / 1000,
  sha256: await columnsSha256(stores.objects),
};
console.log(JSON.stringify(figures));
