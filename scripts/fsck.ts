/** `npm run fsck`: checks a store, and builds a new one from its batches. */

import { existsSync, readdirSync } from 'node:fs';
import { inventoryNumbers, type Manifest } from '../src/format/manifest.ts';
import { MANIFEST_KEY, RETAINED_PREFIX } from '../src/storage/keys.ts';
import { orHelp, parseArguments } from './command/arguments.ts';
import { CommandError, codeOf, fileProblem, UsageError } from './command/errors.ts';
import { type LocalStore, openLocalStore } from './command/local-store.ts';
import { mergeContextOf } from './command/merge-context.ts';
import { checkWritableFolder, statePath, userPath } from './command/paths.ts';
import { formatCount, outputOf, Progress } from './command/progress.ts';
import { runCommand } from './command/run-command.ts';
import { checkStore } from './fsck/check-store.ts';
import { type Check, Findings, FSCK_PROGRESS, FsckError } from './fsck/findings.ts';
import { NO_DECISIONS, type Rebuilt, rebuild } from './fsck/rebuild.ts';

export const HELP = `Checks a store, and builds a new one from its batches. Changes nothing in the store it looks at.

  npm run fsck
  npm run fsck -- --state .ringfence/state --verify-batches
  npm run fsck -- --state .ringfence/state --rebuild .ringfence/rebuilt

  --state DIR       the state folder of npm start      (default .ringfence/state)
  --verify-batches  also fold all kept batches and compare the result with the inventory, byte by byte; needs up to
                    twice the size of the inventory in the temporary folder (TMPDIR)
  --rebuild DIR     build a new state folder from the kept batches, the decisions about them and the settings (keys,
                    policies, overrides, audit trails), then check that one
  --decisions KEY   with --rebuild, where what was kept out of the inventory cannot be told, which it says: go by the
                    copy of a manifest with this key (manifests/...), or by nothing (none), and screen the rest anew
  --help

Stop the server first: two processes on one state folder make each other's reads and writes fail.

Exit status: 0 the store is sound (there may be warnings), 1 it has errors, 2 it could not be looked at.

It looks at stores of this machine only.
`;

interface Options {
  /** Null: that of `npm start`. */
  readonly state: string | null;
  readonly verifyBatches: boolean;
  /** Where the new state folder goes; null: only check. */
  readonly rebuild: string | null;
  /** Of a rebuild: key of a copy of a manifest, or NO_DECISIONS; null: nothing is chosen. */
  readonly decisions: string | null;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArguments(args, OPTIONS);
  if (values.help) return null;
  const { state = null, rebuild = null, decisions = null, 'verify-batches': verifyBatches } = values;
  if (decisions !== null && rebuild === null) throw new UsageError('--decisions is of --rebuild DIR: give that too');
  if (decisions !== null && decisions !== NO_DECISIONS && !decisions.startsWith(RETAINED_PREFIX)) {
    throw new UsageError(`--decisions: expected a key below ${RETAINED_PREFIX}, or ${NO_DECISIONS}`);
  }
  return { state, verifyBatches, rebuild, decisions };
}

const OPTIONS = {
  state: { type: 'string' },
  'verify-batches': { type: 'boolean', default: false },
  rebuild: { type: 'string' },
  decisions: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

// The findings as text: a table of the checks, what was counted, and a line for each problem.

const count = formatCount;
const plural = (value: number, name: string) => `${count(value)} ${name}${value === 1 ? '' : 's'}`;

/** @param manifest null if it could not be read */
export function reportText(findings: Findings, manifest: Manifest | null, state: string): string {
  const rows = findings.checks.map((check) => [check.title, count(check.looked), resultOf(check)] as const);
  const lines = [headline(manifest, state), '', ...table([['check', 'looked at', 'result'], ...rows])];
  const counts = [...findings.counts].filter(([, value]) => value > 0);
  if (counts.length > 0) lines.push('', ...counts.map(([name, value]) => `  ${count(value)} ${name}`));
  const problems = findings.checks.flatMap(problemLines);
  if (problems.length > 0) lines.push('', ...problems);
  return `${[...lines, '', verdict(findings)].join('\n')}\n`;
}

function headline(manifest: Manifest | null, state: string): string {
  if (manifest === null) return `${state}: a store whose manifest cannot be read`;
  if (manifest.generation === 0) return `${state}: a store that nothing has been merged into yet`;
  const runs = plural(manifest.runs.length, 'run');
  return `${state}: generation ${manifest.generation}, ${plural(inventoryNumbers(manifest), 'number')} in ${runs}`;
}

function table(rows: readonly (readonly [string, string, string])[]): string[] {
  const titleWidth = Math.max(...rows.map(([title]) => title.length));
  const lookedWidth = Math.max(...rows.map(([, looked]) => looked.length));
  return rows.map(
    ([title, looked, result]) => `  ${title.padEnd(titleWidth)}  ${looked.padStart(lookedWidth)}  ${result}`,
  );
}

function resultOf({ errors, warnings, skipped }: Check): string {
  const parts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
    ...(skipped === null ? [] : [`not checked: ${skipped}`]),
  ];
  return parts.length === 0 ? 'ok' : parts.join(', ');
}

function problemLines({ title, problems, errors, warnings }: Check): string[] {
  const lines = problems.map(({ severity, key, what, remedy }) => `${severity}: ${key}: ${what}. ${remedy}`);
  const untold = errors + warnings - problems.length;
  return untold === 0 ? lines : [...lines, `and ${count(untold)} more of the check "${title}"`];
}

function verdict({ errors, warnings }: Findings): string {
  const warned = warnings === 0 ? '' : `, with ${plural(warnings, 'warning')}`;
  return errors === 0 ? `The store is sound${warned}.` : `The store has ${plural(errors, 'error')}${warned}.`;
}

const COMMAND = 'npm run fsck';
const EXIT_PROBLEMS = 1;
const EXIT_NOT_LOOKED = 2;
/** Of a rebuild; others are trouble, and told. */
const EXPECTED_EVENTS = new Set(['rollback', 'garbage.collected']);

const progress = new Progress(outputOf(process.stderr), () => Date.now(), FSCK_PROGRESS);

/** Returns whether the store is sound. */
async function check(store: LocalStore, state: string, verifyBatches: boolean): Promise<boolean> {
  const findings = new Findings();
  const read = await checkStore({ ...store, findings, progress }, { verifyBatches });
  progress.end();
  process.stdout.write(reportText(findings, read?.manifest ?? null, state));
  return findings.isSound;
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
    const context = {
      ...mergeContextOf(target),
      // Local storage takes any number of writes a second.
      sleep: async () => {},
      log: (event: string, details: object) => {
        if (!EXPECTED_EVENTS.has(event)) progress.note(JSON.stringify({ event, ...details }));
      },
    };
    const built = await rebuild(source.objects, context, progress, options.decisions);
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
  throw new FsckError(`${folder} is not empty: give a folder that is new`);
}

async function main(): Promise<number> {
  const options = orHelp(parseOptions(process.argv.slice(2)), HELP);
  if (options === null) return 0;
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
