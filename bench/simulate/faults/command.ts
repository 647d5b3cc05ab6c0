/**
 * `npm run simulate -- faults [--seeds N] [--from K] [--jobs J]`: N seeds from K on, over J threads.
 * `npm run simulate -- faults --seed K [--trace]`: one seed; with its trace, line by line.
 *
 * Prints what was done; of seeds that break a promise, the promise and a schedule that is as small as it gets. The same
 * seeds print the same. The exit status is 1 when a promise was broken.
 */

import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { orHelp, parseArguments, wholeNumberOption } from '../../../scripts/command/arguments.ts';
import { UsageError } from '../../../scripts/command/errors.ts';
import { replacePlatform } from './platform.ts';
import { type Figures, NOTHING_OMITTED, type Omitted, type Outcome, runSeed } from './run-seed.ts';

/** What a thread tells of a seed. */
export type Told = Pick<Outcome, 'seed' | 'violation' | 'sha256' | 'figures'>;

/** Seeds that a thread gets at once. */
const PORTION = 5;
/** Failing seeds that are shrunk; each may take half a minute. */
const SHRUNK = 3;
const DEFAULT_SEEDS = 300;

const HELP = `The Worker's parts while calls fail and isolates end, by seed (docs/SIMULATION.md). The same
seeds print the same.

  npm run simulate -- faults
  npm run simulate -- faults --seeds 1000 --from 5000
  npm run simulate -- faults --seed 42 --trace

  --seeds N  that are run                                (default ${DEFAULT_SEEDS})
  --from K   the first of them                           (default 1)
  --jobs J   threads                                     (default: as many as processors)
  --seed K   this one alone
  --trace    of that one, all that happened, line by line
  --help

Exit status: 0 no promise was broken, 1 one was, 2 the command line cannot be followed.
`;

interface Options {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly isOne: boolean;
  readonly trace: boolean;
}

/** Returns the exit status. */
export async function faults(args: readonly string[]): Promise<number> {
  const options = orHelp(parse(args), HELP);
  if (options === null) return 0;
  if (options.isOne) return one(options.from, options.trace);
  const startedAt = performance.now();
  const told = await runAll(options);
  const failing = told.filter(({ violation }) => violation !== null);
  console.log(summary(told));
  for (const { seed, violation } of failing) console.log(`seed ${seed}: ${violation?.invariant}: ${violation?.detail}`);
  console.error(`${Math.round((performance.now() - startedAt) / 1000)} s`);
  replacePlatform();
  for (const { seed } of failing.slice(0, SHRUNK)) await report(await runSeed(seed));
  return failing.length === 0 ? 0 : 1;
}

async function one(seed: number, withTrace: boolean): Promise<number> {
  replacePlatform();
  const outcome = await runSeed(seed);
  if (withTrace) console.log(outcome.trace.join('\n'));
  console.log(`trace ${outcome.sha256}`);
  console.log(summary([outcome]));
  if (outcome.violation === null) return 0;
  await report(outcome);
  return 1;
}

async function report(failing: Outcome): Promise<void> {
  const { seed } = failing;
  if (failing.violation === null) throw new Error(`seed ${seed} broke a promise, and does not any more`);
  const { schedule, violation, faults: happened } = await shrink(failing);
  console.log(`\nseed ${seed}: broken: ${violation?.invariant}\n  ${violation?.detail}`);
  console.log(`  ${schedule.length} of ${failing.schedule.length} steps are enough:`);
  for (const { step, what } of schedule) {
    console.log(`  a${step.index} ${step.kind}: ${what}`);
    for (const [name, fault] of happened) {
      if (name.startsWith(`${step.index}.`)) console.log(`      ${name} ${fault}`);
    }
  }
  console.log(`  again, with its trace: npm run simulate -- faults --seed ${seed} --trace`);
}

/** Every thread takes seeds until there are none; in order of seeds, whoever ran them. */
async function runAll({ from, seeds, jobs }: Options): Promise<Told[]> {
  const told: Told[] = [];
  let next = from;
  const end = from + seeds;
  const thread = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(join(import.meta.dirname, 'thread.ts'));
      const give = () => {
        const portion = Array.from({ length: Math.min(PORTION, end - next) }, (_, i) => next + i);
        next += portion.length;
        if (portion.length > 0) worker.postMessage(portion);
        else void worker.terminate().then(() => resolve());
      };
      worker.on('message', (some: Told[]) => {
        told.push(...some);
        give();
      });
      worker.on('error', reject);
      give();
    });
  await Promise.all(Array.from({ length: jobs }, thread));
  return told.sort((a, b) => a.seed - b.seed);
}

function summary(told: readonly { readonly figures: Figures; readonly violation: unknown }[]): string {
  const sum = (figure: keyof Figures) => told.reduce((total, { figures }) => total + figures[figure], 0);
  const count = (figure: keyof Figures, what: string) => `${sum(figure).toLocaleString('en-US')} ${what}`;
  const broken = told.filter(({ violation }) => violation !== null).length;
  return (
    `${told.length.toLocaleString('en-US')} seeds: ${count('uploads', 'batches')}, ${count('generations', 'generations')}, ` +
    `${count('checkedAnswers', 'answers checked')}, ${count('faults', 'faults')} in ` +
    `${count('calls', 'storage calls')}; ${broken === 0 ? 'no promise broken' : `${broken} seeds broke a promise`}`
  );
}

/**
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
function parse(args: readonly string[]): Options | null {
  const { values } = parseArguments(args, {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    from: { type: 'string' },
    jobs: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) return null;
  const isOne = values.seed !== undefined;
  if (isOne && (values.seeds ?? values.from) !== undefined) {
    throw new UsageError('--seed goes without --seeds and --from');
  }
  if (values.trace && !isOne) throw new UsageError('--trace goes with --seed');
  return {
    isOne,
    trace: values.trace,
    from: wholeNumberOption(isOne ? '--seed' : '--from', values.seed ?? values.from ?? '1', 1),
    seeds: wholeNumberOption('--seeds', values.seeds ?? String(DEFAULT_SEEDS), 1),
    jobs: wholeNumberOption('--jobs', values.jobs ?? String(availableParallelism()), 1),
  };
}

// Makes a failing schedule small: leaves out steps, then faults, in ever smaller portions, as long as the same promise
// is still broken. Bounded by runs and not by time, so that the same seed shrinks to the same schedule.

const MAX_RUNS = 400;

async function shrink(failing: Outcome): Promise<Outcome> {
  const invariant = failing.violation?.invariant;
  let best = failing;
  let omitted: Omitted = NOTHING_OMITTED;
  let runs = 0;
  const attempt = async (next: Omitted): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const outcome = await runSeed(failing.seed, next);
    if (outcome.violation?.invariant !== invariant) return false;
    best = outcome;
    omitted = next;
    return true;
  };
  await leaveOut(
    () => best.schedule.map(({ step }) => step.index),
    (steps) => attempt({ ...omitted, steps: new Set([...omitted.steps, ...steps]) }),
  );
  await leaveOut(
    () => [...best.faults.keys()],
    (faults) => attempt({ ...omitted, faults: new Set([...omitted.faults, ...faults]) }),
  );
  return best;
}

/**
 * Leaves out what is not needed, in ever smaller portions.
 * @param present what is still there
 * @param attempt whether it still fails without these; then they are gone
 */
export async function leaveOut<T>(
  present: () => readonly T[],
  attempt: (some: readonly T[]) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(present().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what came after the failure goes first, and at once.
    for (let end = present().length; end > 0; end -= size) {
      await attempt(present().slice(Math.max(0, end - size), end));
    }
  }
}
