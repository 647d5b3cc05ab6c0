/** `npm run build-inventory`: see scripts/build-inventory/options.ts for what it takes. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DEFAULT_BUDGET } from '../src/merge/context.ts';
import { parseLabelLevels } from '../src/policy/labels.ts';
import { buildInventory } from './build-inventory/build.ts';
import { BuildError } from './build-inventory/build-error.ts';
import { HELP, type Options, parseOptions } from './build-inventory/options.ts';
import { BuildProgress } from './build-inventory/progress.ts';
import { openRemoteStore } from './build-inventory/remote-store.ts';
import { type BuildSummary, summaryText } from './build-inventory/summary.ts';
import { WorkerPool } from './build-inventory/worker-pool.ts';
import { openLocalStore } from './fsck/local-store.ts';
import { LookError } from './fsck/look.ts';

const EXIT_REJECTS = 1;
const EXIT_NOT_PUBLISHED = 2;

async function build(options: Options): Promise<BuildSummary> {
  const state = resolve(options.state);
  const labels = [...parseLabelLevels(process.env.RINGFENCE_LABELS)];
  const out = { isTerminal: process.stderr.isTTY === true, write: (text: string) => process.stderr.write(text) };
  const progress = new BuildProgress(out, () => Date.now());
  const store =
    options.remote === null
      ? await openLocalStore(state, { create: !existsSync(join(state, 'v3', 'r2')) })
      : await openRemoteStore(options.remote, join(dirname(resolve(options.work)), 'build-remote'));
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
    const { mapping, header, observedAt, files, work, rejects } = options;
    const request = {
      files,
      mapping,
      ...(header !== undefined && { header }),
      ...(observedAt !== undefined && { observedAt }),
      labels,
      workFolder: resolve(work),
      rejectsPath: rejects,
    };
    return await buildInventory(request, { context, runner, progress });
  } finally {
    progress.end();
    await runner.close();
    await store.close();
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
  } else {
    const summary = await build(options);
    process.stdout.write(summaryText(summary));
    if (summary.accepted < summary.rows) process.exitCode = EXIT_REJECTS;
  }
} catch (error) {
  process.exitCode = EXIT_NOT_PUBLISHED;
  const isExpected = error instanceof BuildError || error instanceof LookError || error instanceof RangeError;
  process.stderr.write(`${isExpected ? error.message : error instanceof Error ? error.stack : error}\n`);
}
