/** `npm run fsck`: checks a store, and builds a new one from its batches. See scripts/fsck/options.ts. */
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_BUDGET, type MergeContext } from '../src/merge/context.ts';
import { checkStore } from './fsck/check-store.ts';
import { Findings } from './fsck/findings.ts';
import { type LocalStore, openLocalStore } from './fsck/local-store.ts';
import { LookError } from './fsck/look.ts';
import { HELP, type Options, parseOptions } from './fsck/options.ts';
import { Progress } from './fsck/progress.ts';
import { type Rebuilt, rebuild } from './fsck/rebuild.ts';
import { reportText } from './fsck/report.ts';

const EXIT_PROBLEMS = 1;
const EXIT_NOT_LOOKED = 2;
/** Of a rebuild; others are trouble, and told. */
const EXPECTED_EVENTS = new Set(['rollback', 'garbage.collected']);

const progress = new Progress(
  { isTerminal: process.stderr.isTTY === true, write: (text) => process.stderr.write(text) },
  () => Date.now(),
);

/** Returns whether the store is sound. */
async function check(store: LocalStore, state: string, verifyBatches: boolean): Promise<boolean> {
  const findings = new Findings();
  const read = await checkStore({ ...store, findings, progress }, { verifyBatches });
  progress.end();
  process.stdout.write(reportText(findings, read?.manifest ?? null, state));
  return findings.isSound;
}

function mergeContext({ objects, slices }: LocalStore): MergeContext {
  return {
    objects,
    slices,
    now: () => Date.now(),
    // Local storage takes any number of writes a second.
    delay: async () => {},
    randomId: () => crypto.randomUUID(),
    log: (event, details) => {
      if (!EXPECTED_EVENTS.has(event)) progress.note(JSON.stringify({ event, ...details }));
    },
    budget: DEFAULT_BUDGET,
  };
}

function rebuiltText(built: Rebuilt, folder: string): string {
  const { batches, numbers, generation, setAside, unreadable, setAsideFrom } = built;
  const lines = [`Built ${folder} from ${batches} batches: ${numbers} numbers in generation ${generation}.`];
  if (setAside > 0) lines.push(`${setAside} batches are set aside, as ${setAsideFrom} says.`);
  if (setAsideFrom === null) {
    lines.push('No manifest could be read: batches that a rollback had set aside are in the inventory again.');
  }
  if (unreadable > 0) lines.push(`${unreadable} batches cannot be read; they were copied to batches/waiting/.`);
  return `${lines.join('\n')}\n\n`;
}

async function rebuildInto(source: LocalStore, folder: string, options: Options): Promise<boolean> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new LookError(`${folder} is not empty: give a folder that is new`);
  }
  const target = await openLocalStore(folder, { create: true });
  try {
    const built = await rebuild(source.objects, mergeContext(target), progress);
    progress.end();
    process.stdout.write(rebuiltText(built, folder));
    const isSound = await check(target, folder, options.verifyBatches);
    process.stdout.write(`\nStart it with: npm start -- --state ${folder}\n`);
    return isSound && built.unreadable === 0;
  } catch (error) {
    progress.note(`${folder} is not complete: delete it before you try again`);
    throw error;
  } finally {
    await target.close();
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const store = await openLocalStore(resolve(options.state), { create: false });
  try {
    const isSound =
      options.rebuild === null
        ? await check(store, options.state, options.verifyBatches)
        : await rebuildInto(store, resolve(options.rebuild), options);
    if (!isSound) process.exitCode = EXIT_PROBLEMS;
  } finally {
    await store.close();
  }
}

try {
  await main();
} catch (error) {
  progress.end();
  process.exitCode = EXIT_NOT_LOOKED;
  process.stderr.write(
    `${error instanceof LookError ? error.message : error instanceof Error ? error.stack : error}\n`,
  );
}
