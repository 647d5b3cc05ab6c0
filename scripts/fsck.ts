/** `npm run fsck`: checks a store, and builds a new one from its batches. See scripts/fsck/options.ts. */
import { existsSync, readdirSync } from 'node:fs';
import { DEFAULT_BUDGET, type MergeContext } from '../src/merge/context.ts';
import { MANIFEST_KEY } from '../src/store/keys.ts';
import { CommandError, codeOf, fileProblem } from './command/errors.ts';
import { checkWritableFolder, statePath, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { checkStore } from './fsck/check-store.ts';
import { Findings } from './fsck/findings.ts';
import { type LocalStore, openLocalStore } from './fsck/local-store.ts';
import { LookError } from './fsck/look.ts';
import { HELP, type Options, parseOptions } from './fsck/options.ts';
import { Progress } from './fsck/progress.ts';
import { type Rebuilt, rebuild } from './fsck/rebuild.ts';
import { reportText } from './fsck/report.ts';

const COMMAND = 'npm run fsck';
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
  const { batches, numbers, generation, setAside, withdrawn, gone, unreadable, setAsideFrom, heldFrom } = built;
  const lines = [`Built ${folder} from ${batches} batches: ${numbers} numbers in generation ${generation}.`];
  if (setAside > 0) lines.push(`${setAside} batches are set aside, as ${setAsideFrom} says.`);
  if (withdrawn > 0) lines.push(`${withdrawn} batches are withdrawn.`);
  if (gone.setAside > 0) {
    lines.push(`${gone.setAside} batches that were set aside are gone: the new store knows nothing of them.`);
  }
  if (gone.withdrawn > 0) lines.push(`${gone.withdrawn} of those withdrawn are gone; nothing depends on them.`);
  if (setAsideFrom === null) {
    lines.push('No manifest was gone by: batches that a rollback had set aside are in the inventory again.');
  }
  if (heldFrom === null) lines.push('Everything was screened as if it had just come in: see GET /v1/sources.');
  else if (heldFrom !== MANIFEST_KEY) {
    lines.push(`Held back is what ${heldFrom} says; what was merged later was screened as if it had just come in.`);
  }
  if (unreadable > 0) lines.push(`${unreadable} batches cannot be read; they were copied to batches/waiting/.`);
  return `${lines.join('\n')}\n\n`;
}

async function rebuildInto(source: LocalStore, folder: string, options: Options): Promise<boolean> {
  checkNew(folder);
  checkWritableFolder(folder, '--rebuild');
  const target = await openLocalStore(folder, { command: COMMAND, create: true });
  try {
    const built = await rebuild(source.objects, mergeContext(target), progress, options.decisions);
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

/** @throws CommandError unless nothing is there, or an empty folder */
function checkNew(folder: string): void {
  try {
    if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  } catch (error) {
    const problem = codeOf(error) === 'ENOTDIR' ? 'this is a file' : fileProblem(error);
    throw new CommandError(`${folder}: ${problem}; give a folder that is new with --rebuild`, { cause: error });
  }
  throw new LookError(`${folder} is not empty: give a folder that is new`);
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const state = statePath(options.state ?? undefined);
  const store = await openLocalStore(state, { command: COMMAND, create: false });
  try {
    const isSound =
      options.rebuild === null
        ? await check(store, state, options.verifyBatches)
        : await rebuildInto(store, userPath(options.rebuild), options);
    return isSound ? 0 : EXIT_PROBLEMS;
  } finally {
    await store.close();
  }
}

if (import.meta.filename === process.argv[1])
  await runCommand(main, { failureStatus: EXIT_NOT_LOOKED, whenFailed: () => progress.end() });
