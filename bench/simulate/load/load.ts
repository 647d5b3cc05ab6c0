/**
 * `npm run simulate -- load [--clients 32 --seconds 60 --kills 3 --seed 1]`: the real server under mixed load, with
 * ticks all the while, killed with SIGKILL in the middle of it, started again on the same folder, and then counted:
 * nothing that was acknowledged is lost or counted twice, and no request failed but by a broken connection at a kill.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { orHelp, parseArguments, wholeNumberOption } from '../../../scripts/command/arguments.ts';
import { askJson } from '../../../scripts/command/ask.ts';
import { TICK_PATH } from '../../../scripts/local/dev-server.ts';
import { freePort } from '../../../scripts/local/port.ts';
import { quantilesOf, textTable } from '../../report.ts';
import { Random } from '../../support/random.ts';
import { type Answer, Expected, FIRST_NUMBER, type Figures, runClient } from './clients.ts';
import { LoadServer } from './server.ts';

const ADMIN_KEY = 'load-admin-key-0123456789-abcdefghij';
const TICK_PAUSE_MS = 3_000;
/** Ticks until all is merged: each takes hundreds of batches. */
const MAX_DRAIN_TICKS = 200;
/**
 * An isolate sees a generation within ten seconds of the first lookup (src/lookup/snapshot.ts); a busy machine later.
 */
const SNAPSHOT_LIMIT_MS = 60_000;
const SNAPSHOT_POLL_MS = 500;
const LOOKUPS_AT_ONCE = 500;

interface LoadOptions {
  readonly clients: number;
  readonly seconds: number;
  readonly kills: number;
  readonly seed: number;
}

export interface LoadResult {
  readonly options: LoadOptions;
  readonly figures: Figures;
  readonly acknowledged: number;
  readonly numbers: number;
  readonly ticks: number;
  readonly failedTicks: number;
  /** Milliseconds from each kill to the first answer. */
  readonly downMs: readonly number[];
  /** Numbers whose answer at rest is not what was acknowledged. */
  readonly wrong: readonly string[];
}

export async function load(args: readonly string[]): Promise<number> {
  const options = orHelp(optionsOf(args), HELP);
  if (options === null) return 0;
  const result = await runLoad(options);
  console.log(report(result));
  return isSound(result) ? 0 : 1;
}

const HELP = `The server itself under mixed load, with ticks all the while, killed in the middle of it and then counted.

  npm run simulate -- load
  npm run simulate -- load --clients 32 --seconds 60 --kills 3 --seed 1

  --clients N  that look up and upload as fast as they are answered (default 32)
  --seconds N  of load                                              (default 60)
  --kills N    by turns of all processes and of workerd alone       (default 3)
  --seed N     of what clients ask                                  (default 1)
  --help

Exit status: 0 all that was acknowledged is there and no request failed but at a kill, 1 otherwise.
`;

/** @returns null if help is asked for */
function optionsOf(args: readonly string[]): LoadOptions | null {
  const { values } = parseArguments(args, {
    clients: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '60' },
    kills: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) return null;
  return {
    clients: wholeNumberOption('--clients', values.clients, 1),
    seconds: wholeNumberOption('--seconds', values.seconds, 1),
    kills: wholeNumberOption('--kills', values.kills, 0),
    seed: wholeNumberOption('--seed', values.seed, 0),
  };
}

export function isSound({ figures, wrong, acknowledged }: LoadResult): boolean {
  return figures.errors.length === 0 && figures.faults.length === 0 && wrong.length === 0 && acknowledged > 0;
}

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-load-'));
  const server = new LoadServer({ port: await freePort(), state, adminKey: ADMIN_KEY });
  try {
    await server.start();
    return await runAgainst(server, options);
  } finally {
    await server.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

async function runAgainst(server: LoadServer, options: LoadOptions): Promise<LoadResult> {
  const random = new Random(options.seed);
  const expected = new Expected();
  const figures: Figures = {
    lookups: 0,
    uploads: 0,
    resent: 0,
    resets: 0,
    errors: [],
    faults: [],
    lookupMs: [],
    uploadMs: [],
  };
  let isOver = false;
  const aborted = new AbortController();
  const deps = {
    url: server.url,
    key: ADMIN_KEY,
    expected,
    figures,
    isOver: () => isOver,
    signal: aborted.signal,
  };
  const clients = Array.from({ length: options.clients }, (_, i) => runClient(i, random.stream(`client ${i}`), deps));
  const ticking = keepTicking(server, () => isOver);
  let downMs: number[];
  try {
    downMs = await killSometimes(server, options, random.stream('kills'));
  } catch (error) {
    aborted.abort();
    throw error;
  } finally {
    isOver = true;
  }
  await Promise.all(clients);
  const { ticks, failedTicks } = await ticking;
  await untilServed(server, await drain(server));
  const wrong = await wrongAtRest(server, expected);
  return {
    options,
    figures,
    acknowledged: expected.acknowledged,
    numbers: expected.numbers.length,
    ticks,
    failedTicks,
    downMs,
    wrong,
  };
}

/** By turns the runtime alone, and every process at once. */
async function killSometimes(server: LoadServer, { seconds, kills }: LoadOptions, random: Random): Promise<number[]> {
  const downMs: number[] = [];
  const share = (seconds * 1000) / (kills + 1);
  for (let kill = 0; kill < kills; kill++) {
    await sleep(share * (0.8 + 0.4 * random.next()));
    const started = Date.now();
    if (kill % 2 === 0) {
      await server.killAll();
      await server.start();
    } else {
      server.killRuntime();
      await server.answers();
    }
    downMs.push(Date.now() - started);
  }
  await sleep(share);
  return downMs;
}

async function keepTicking(server: LoadServer, isOver: () => boolean) {
  let ticks = 0;
  let failedTicks = 0;
  while (!isOver()) {
    await sleep(TICK_PAUSE_MS);
    if ((await tickFailure(server)) === null) ticks += 1;
    else failedTicks += 1;
  }
  return { ticks, failedTicks };
}

/** Why the cron handler did not end well, or null; at a kill it does not, whatever it had done by then. */
async function tickFailure(server: LoadServer): Promise<string | null> {
  try {
    const response = await fetch(server.url + TICK_PATH);
    const text = await response.text();
    return text === 'ok' ? null : `${response.status}: ${text.slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? `${error.message}: ${String(error.cause)}` : 'no answer';
  }
}

interface Status {
  readonly generation: number;
  readonly waiting: { readonly batches: number };
}

/** Ticks until nothing waits; resolves to the generation that has it all. */
async function drain(server: LoadServer): Promise<number> {
  for (let i = 0; i < MAX_DRAIN_TICKS; i++) {
    const failure = await tickFailure(server);
    if (failure !== null) throw new Error(`a tick failed without a kill: ${failure}`);
    const { generation, waiting } = await call<Status>(server, '/v1/status');
    if (waiting.batches === 0) return generation;
  }
  throw new Error(`batches wait after ${MAX_DRAIN_TICKS} ticks`);
}

/** Lookups refresh the snapshot that they are answered from. */
async function untilServed(server: LoadServer, generation: number): Promise<void> {
  for (const deadline = Date.now() + SNAPSHOT_LIMIT_MS; Date.now() < deadline; await sleep(SNAPSHOT_POLL_MS)) {
    const answer = await call<Pick<Status, 'generation'>>(server, '/v1/lookup', { number: `+${FIRST_NUMBER}` });
    if (answer.generation >= generation) return;
  }
  throw new Error(`generation ${generation} is not served after ${SNAPSHOT_LIMIT_MS / 1000} s`);
}

/** Every number that was ever acknowledged, asked for once. */
async function wrongAtRest(server: LoadServer, expected: Expected): Promise<string[]> {
  const wrong: string[] = [];
  const { numbers } = expected;
  for (let from = 0; from < numbers.length; from += LOOKUPS_AT_ONCE) {
    const some = numbers.slice(from, from + LOOKUPS_AT_ONCE);
    const { results } = await call<{ readonly results: Answer[] }>(server, '/v1/lookup/batch', { numbers: some });
    for (const [i, number] of some.entries()) {
      const result = results[i];
      const fault = result === undefined ? 'no result' : expected.faultAtRest(number, result);
      if (fault !== null) wrong.push(fault);
    }
  }
  return wrong;
}

function call<Answer>(server: LoadServer, path: string, json?: unknown): Promise<Answer> {
  return askJson(server.url + path, { key: ADMIN_KEY, json });
}

function report({ options, figures, acknowledged, numbers, ticks, failedTicks, downMs, wrong }: LoadResult): string {
  const perSecond = (count: number) => Math.round(count / options.seconds);
  const rows = [
    ['clients, seconds, kills', `${options.clients}, ${options.seconds}, ${options.kills}`],
    ['lookups', `${figures.lookups}, ${perSecond(figures.lookups)} a second`],
    ['lookup by GET, ms', quantiles(figures.lookupMs)],
    ['uploads acknowledged', `${figures.uploads}, ${perSecond(figures.uploads)} a second`],
    ['upload, ms', quantiles(figures.uploadMs)],
    ['ticks, and those cut short', `${ticks}, ${failedTicks}`],
    ['broken connections', `${figures.resets}`],
    ['uploads sent again for it', `${figures.resent}`],
    ['seconds from a kill to the next answer', downMs.map((ms) => (ms / 1000).toFixed(1)).join(', ')],
    ['detections acknowledged', `${acknowledged}, of ${numbers} numbers`],
    ['numbers wrong at rest', `${wrong.length}`],
    ['answers that cannot be right', `${figures.faults.length}`],
    ['errors', `${figures.errors.length}`],
  ];
  const table = textTable(rows.map(([what = '', value = '']) => ({ load: what, value })));
  return [table, ...figures.errors.slice(0, 10), ...figures.faults.slice(0, 10), ...wrong.slice(0, 10)].join('\n');
}

function quantiles(values: readonly number[]): string {
  const { p50, p99, max } = quantilesOf(values.length === 0 ? [0] : values);
  return `p50 ${p50.toFixed(0)}, p99 ${p99.toFixed(0)}, longest ${max.toFixed(0)}`;
}
