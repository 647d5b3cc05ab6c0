/** `npm run build-inventory`: see scripts/build-inventory/options.ts for what it takes. */
import { dirname, join, resolve } from 'node:path';
import { DEFAULT_BUDGET } from '../src/merge/context.ts';
import { parseLabelLevels } from '../src/policy/labels.ts';
import { buildInventory } from './build-inventory/build.ts';
import { HELP, type Options, parseOptions } from './build-inventory/options.ts';
import { BuildProgress } from './build-inventory/progress.ts';
import { openRemoteStore } from './build-inventory/remote-store.ts';
import { type BuildSummary, summaryText } from './build-inventory/summary.ts';
import { WorkerPool } from './build-inventory/worker-pool.ts';
import { checkInputFile, checkOutputFile, checkWritableFolder, statePath, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { openLocalStore } from './fsck/local-store.ts';

const DEFAULT_WORK = '.ringfence/build';
const EXIT_REJECTS = 1;
const EXIT_NOT_PUBLISHED = 2;

async function build(options: Options): Promise<BuildSummary> {
  const files = options.files.map(userPath);
  for (const file of files) checkInputFile(file);
  const rejects = userPath(options.rejects);
  checkOutputFile(rejects);
  const state = statePath(options.state ?? undefined);
  const work = options.work === null ? resolve(DEFAULT_WORK) : userPath(options.work);
  checkWritableFolder(dirname(work), '--work');
  const labels = [...parseLabelLevels(process.env.RINGFENCE_LABELS)];
  const out = { isTerminal: process.stderr.isTTY === true, write: (text: string) => process.stderr.write(text) };
  const progress = new BuildProgress(out, () => Date.now());
  const store =
    options.remote === null
      ? await openLocalStore(state, { command: 'npm run build-inventory', create: true })
      : await openRemoteStore(options.remote, join(dirname(work), 'build-remote'));
  const runner = new WorkerPool(options.threads);
  try {
    const context = {
      objects: store.objects,
      slices: store.slices,
      now: () => Date.now(),
      delay: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)),
      randomId: () => crypto.randomUUID(),
      log: (event: string, details: object) => progress.note(JSON.stringify({ event, ...details })),
      budget: DEFAULT_BUDGET,
    };
    const { mapping, header, observedAt } = options;
    const request = {
      files,
      mapping,
      ...(header !== undefined && { header }),
      ...(observedAt !== undefined && { observedAt }),
      labels,
      workFolder: work,
      rejectsPath: rejects,
    };
    return await buildInventory(request, { context, runner, progress });
  } finally {
    progress.end();
    await runner.close();
    await store.close();
  }
}

if (import.meta.filename === process.argv[1])
  await runCommand(
    async () => {
      const options = parseOptions(process.argv.slice(2));
      if (options === null) {
        process.stdout.write(HELP);
        return 0;
      }
      const summary = await build(options);
      process.stdout.write(summaryText(summary));
      return summary.accepted < summary.rows ? EXIT_REJECTS : 0;
    },
    { failureStatus: EXIT_NOT_PUBLISHED },
  );
