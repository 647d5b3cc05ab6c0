/**
 * `npm run simulate -- mutants [--seeds N] [--only TEXT] [--jobs J] [--write-docs]`: puts each fault of mutants.ts into
 * a copy of the product, one at a time, and runs seeds until one breaks a promise. Prints which seed found which, with
 * --write-docs into docs/SIMULATION.md too, and exits with 1 if any fault was not found, or a text that is to be replaced
 * does not occur exactly once.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { orHelp, parseArguments, wholeNumberOption } from '../../../scripts/command/arguments.ts';
import { UsageError } from '../../../scripts/command/errors.ts';
import { PROJECT } from '../../../scripts/command/paths.ts';
import { textTable } from '../../report.ts';
import { MUTANTS, type Mutant } from './mutants.ts';

export const DOCUMENT = join(PROJECT, 'docs', 'SIMULATION.md');
/** What follows in the document is the table. */
export const TABLE_FOLLOWS = 'The last run:\n';
const DEFAULT_SEEDS = 2000;
/** A fault may make the product go round for ever; all seeds take a fraction of this. */
const TIMEOUT_MS = 30 * 60_000;

const HELP = `Puts each error of a list into a copy of the code, one at a time, and runs seeds until one finds it.

  npm run simulate -- mutants
  npm run simulate -- mutants --only withdraw --seeds 500

  --seeds N     at most, for each mutant                 (default ${DEFAULT_SEEDS})
  --only TEXT   those that have this in their name
  --jobs J      at a time                                (default: as many as processors)
  --write-docs  write the table into docs/SIMULATION.md: of all mutants, with the default of seeds
  --help

Exit status: 0 every mutant was found, 1 one was not, 2 the command line cannot be followed.
`;

interface Options {
  readonly seeds: number;
  readonly jobs: number;
  readonly only: string;
  readonly writeDocs: boolean;
}

interface Found {
  readonly mutant: Mutant;
  /** Null: no seed found it. */
  readonly seed: number | null;
  readonly invariant: string;
}

/** Returns the exit status. */
export async function mutants(args: readonly string[]): Promise<number> {
  const options = orHelp(parse(args), HELP);
  if (options === null) return 0;
  const { seeds, jobs, only, writeDocs } = options;
  const chosen = MUTANTS.filter(({ name }) => name.includes(only));
  for (const mutant of chosen) mutated(mutant);
  const found: Found[] = [];
  const waiting = [...chosen];
  const worker = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const result = await hunt(mutant, seeds);
      console.error(`${result.seed ?? 'NOT FOUND'}: ${mutant.name}: ${result.invariant}`);
      found.push(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  const inOrder = chosen.flatMap((mutant) => found.find((one) => one.mutant === mutant) ?? []);
  const rows = inOrder.map(({ mutant, seed, invariant }) => ({
    mutant: mutant.name,
    file: mutant.file.replace('src/', ''),
    seed: seed ?? 'not found',
    'broken promise': invariant,
  }));
  console.log(textTable(rows));
  if (writeDocs) writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8'), inOrder));
  const missed = inOrder.filter(({ seed }) => seed === null).length;
  console.log(`${inOrder.length - missed} of ${inOrder.length} mutants found`);
  return missed === 0 ? 0 : 1;
}

/**
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
function parse(args: readonly string[]): Options | null {
  const { values } = parseArguments(args, {
    seeds: { type: 'string', default: String(DEFAULT_SEEDS) },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    'write-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) return null;
  const { only } = values;
  const seeds = wholeNumberOption('--seeds', values.seeds, 1);
  if (values['write-docs'] && (only !== '' || seeds !== DEFAULT_SEEDS)) {
    throw new UsageError('--write-docs goes with all mutants and the default of seeds: without --only and --seeds');
  }
  if (!MUTANTS.some(({ name }) => name.includes(only))) {
    throw new UsageError('--only: no mutant has this in its name; docs/SIMULATION.md lists them');
  }
  return {
    seeds,
    jobs: wholeNumberOption('--jobs', values.jobs, 1),
    only,
    writeDocs: values['write-docs'],
  };
}

/** The document with the table in the place of that of an earlier run. */
function withTable(text: string, found: readonly Found[]): string {
  const at = text.indexOf(TABLE_FOLLOWS);
  if (at < 0) throw new Error(`expected the line ${JSON.stringify(TABLE_FOLLOWS)} in ${DOCUMENT}`);
  const rows = found.map(
    ({ mutant, seed, invariant }) => `${rowBegin(mutant)} ${seed ?? 'not found'} | ${invariant} |`,
  );
  const head = ['', '| mutant | in | found by seed | as a breach of |', '| --- | --- | --- | --- |'];
  return `${text.slice(0, at + TABLE_FOLLOWS.length)}${[...head, ...rows, ''].join('\n')}`;
}

/** How the row of a mutant begins in the document. */
export function rowBegin({ name, file }: Mutant): string {
  return `| ${name} | \`${file.replace('src/', '')}\` |`;
}

/** The file's text with the fault. Throws unless there is exactly one place for it. */
export function mutated({ name, file, from, to }: Mutant): string {
  const text = readFileSync(join(PROJECT, file), 'utf8');
  const places = text.split(from).length - 1;
  if (places !== 1) throw new Error(`${name}: expected its text once in ${file}, found it ${places} times`);
  // As a function: the text may have signs that mean something in a replacement.
  return text.replace(from, () => to);
}

async function hunt(mutant: Mutant, seeds: number): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-mutant-'));
  try {
    for (const part of ['src', 'scripts', 'bench', 'package.json'])
      cpSync(join(PROJECT, part), join(folder, part), { recursive: true });
    symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, mutant.file), mutated(mutant));
    return { mutant, ...(await firstFailure(folder, seeds)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function firstFailure(folder: string, seeds: number): Promise<Omit<Found, 'mutant'>> {
  const script = join(folder, 'bench', 'simulate', 'faults', 'first-failure.ts');
  const child = spawn(process.execPath, [script, String(seeds)], { cwd: folder, timeout: TIMEOUT_MS });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => {
    child.on('close', (status) => {
      // Each seed is named before it runs: what the last one does not survive is found by it.
      const lines = out.trim().split('\n');
      const last = JSON.parse(lines.at(-1) || '{}') as { seed?: number; invariant?: string | null; done?: boolean };
      if (last.done === true) return resolve({ seed: null, invariant: '' });
      const crash =
        status === 0 ? 'no word' : `the simulation fails: ${err.match(/^\w*Error: .*/m)?.[0] ?? `status ${status}`}`;
      resolve({ seed: last.seed ?? 0, invariant: last.invariant ?? crash });
    });
  });
}
