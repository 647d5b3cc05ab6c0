/** `npm run example`: an example, and a Ringfence for it to ask, on this machine until Ctrl-C. */

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SANDBOX } from '../src/lookup/sandbox.ts';
import { checkEntries, DIST, ENTRIES } from './build-package/entries.ts';
import { bundleEntries, declarationsOf, writeDeclarations } from './build-package.ts';
import { orHelp, parseArguments, portOption, shellWord } from './command/arguments.ts';
import { askJson } from './command/ask.ts';
import { CommandError, UsageError } from './command/errors.ts';
import { checkWritableFolder, PROJECT, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { bundleFolder, type DevServer, keepTicking, startDevServer } from './local/dev-server.ts';
import { checkPort, HOST } from './local/port.ts';
import { checkStateParts, givenAdminKey, localAdminKey, lockState } from './local/state.ts';
import { stopSignal } from './local/stop-signal.ts';
import { type Server, startServer } from './local/supervisor.ts';
import { checkBundleFolder, devArguments, devEnvironment, writeEnvFile } from './local/wrangler.ts';

export const EXAMPLES_FOLDER = join(PROJECT, 'examples');

interface Example {
  readonly name: string;
  readonly title: string;
  /** In workerd, by wrangler, or as a program of Node. */
  readonly runs: 'worker' | 'node';
  /** How it reaches Ringfence. */
  readonly reaches: 'binding' | 'url';
}

export const EXAMPLES: readonly Example[] = [
  { name: 'hono-sign-up', title: 'a Worker with Hono, by service binding', runs: 'worker', reaches: 'binding' },
  { name: 'itty-router-sign-up', title: 'a Worker with itty-router, by URL', runs: 'worker', reaches: 'url' },
  { name: 'express-sign-up', title: 'Express on Node, by URL', runs: 'node', reaches: 'url' },
];

// The command line of `npm run example`.

interface ExampleOptions {
  readonly example: Example;
  readonly port: number;
  readonly ringfencePort: number;
  /** Absolute. */
  readonly state: string;
  readonly onError: string;
  /** False: as if Ringfence were down. */
  readonly ringfence: boolean;
}

const HELP = `Starts an example, and a Ringfence with an empty store for it to ask.

${EXAMPLES.map(({ name, title }) => `  npm run example -- ${name.padEnd(22)} ${title}`).join('\n')}

  --port N            the example listens on http://127.0.0.1:N  (default 8788)
  --ringfence-port N  its Ringfence on http://127.0.0.1:N        (default 8789)
  --state DIR         where keys, logs and the store are         (default .ringfence/examples/NAME)
  --on-error ACTION   allow or block, when the lookup fails      (default allow)
  --no-ringfence      start the example alone, as if Ringfence were down
  --help

TURNSTILE_SECRET, in the environment, has challenges verified by Turnstile; TIMEOUT_MS is how long a check may take.
`;

const OPTIONS = {
  port: { type: 'string', default: '8788' },
  'ringfence-port': { type: 'string', default: '8789' },
  state: { type: 'string' },
  'on-error': { type: 'string', default: 'allow' },
  ringfence: { type: 'boolean', default: true },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/**
 * @returns null if the help is to be shown
 * @throws UsageError
 */
function exampleOptions(args: readonly string[]): ExampleOptions | null {
  const { values, positionals } = parseArguments(args, OPTIONS, { positionals: true });
  if (values.help || positionals.length === 0) return null;
  const [name = ''] = positionals;
  const example = EXAMPLES.find((one) => one.name === name);
  if (example === undefined || positionals.length > 1) {
    throw new UsageError(
      `expected one of ${EXAMPLES.map((one) => one.name).join(', ')}; found ${positionals.join(' ')}`,
    );
  }
  const onError = values['on-error'];
  if (onError !== 'allow' && onError !== 'block') {
    throw new UsageError(`--on-error: expected allow or block, found ${onError}`);
  }
  const port = portOption('--port', values.port);
  const ringfencePort = portOption('--ringfence-port', values['ringfence-port']);
  if (port === ringfencePort) throw new UsageError('--port and --ringfence-port: expected two ports, found one');
  const state = values.state === undefined ? resolve(`.ringfence/examples/${name}`) : userPath(values.state);
  return { example, port, ringfencePort, state, onError, ringfence: values.ringfence };
}

// The API key that an example asks with: made once, and kept in the state folder.

/** What an example without Ringfence is given when there is no key yet: nothing will look at it. */
const NO_KEY = 'rf_none';

function keptLookupKey(state: string): string | null {
  const path = join(state, 'lookup-key');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}

/** @throws CommandError when Ringfence makes none */
async function lookupKey(url: string, adminKey: string, state: string): Promise<string> {
  const kept = keptLookupKey(state);
  if (kept !== null && (await isValid(url, kept))) return kept;
  const json = { name: 'example', scopes: ['lookup'] };
  const { key } = await askJson<{ readonly key: string }>(`${url}/v1/keys`, { key: adminKey, json });
  writeFileSync(join(state, 'lookup-key'), `${key}\n`, { mode: 0o600 });
  return key;
}

async function isValid(url: string, key: string): Promise<boolean> {
  const response = await fetch(`${url}/v1/status`, { headers: { authorization: `Bearer ${key}` } });
  await response.body?.cancel();
  return response.ok;
}

// The package, which the examples import by name, as its users do.

/** Folders too: a file that comes or goes changes its folder. */
const MADE_FROM = ['package.json', 'src', 'scripts/build-package', 'scripts/build-package.ts'].map((path) =>
  join(PROJECT, path),
);

/**
 * Writes nothing if nothing has changed, so that one example does not make another restart, whose bundle is watched.
 * The types, which are for editors, only if one is missing.
 * @throws BuildError
 */
export async function buildIfChanged(): Promise<void> {
  checkEntries();
  const built = Math.min(...ENTRIES.map(({ name }) => modifiedMs(join(DIST, `${name}.js`))));
  if (Math.max(...MADE_FROM.flatMap(allBelow).map(modifiedMs)) >= built) await bundleEntries();
  if (!ENTRIES.every((entry) => existsSync(join(DIST, 'types', declarationsOf(entry))))) writeDeclarations();
}

function allBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))];
}

/** 0 if there is no such file. */
function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// The example itself: a Worker in workerd, or a program of Node.

/** What the examples write for each sign-up, among all that wrangler writes. */
const REPORT = /^sign-up: /;

interface ExampleSettings {
  readonly port: number;
  readonly state: string;
  /** Variables and secrets of the example. */
  readonly vars: Readonly<Record<string, string>>;
  /** Called with what the example writes of each sign-up. */
  readonly onReport: (line: string) => void;
  readonly onRestart?: (message: string) => void;
}

/** @throws CommandError when it does not come up, and Stopped */
export function startExample(example: Example, settings: ExampleSettings, stop?: AbortSignal): Promise<Server> {
  const { port, state, vars, onReport, onRestart } = settings;
  mkdirSync(state, { recursive: true });
  const onLine = (line: string) => {
    if (REPORT.test(line)) onReport(line);
  };
  return startServer(
    {
      name: 'The example',
      ...(example.runs === 'node' ? nodeCommand(port, vars) : workerCommand(port, state, vars)),
      folder: join(EXAMPLES_FOLDER, example.name),
      port,
      path: '/',
      isUp: ({ ok }) => ok,
      logPath: join(state, 'example.log'),
      onLine,
      ...(onRestart !== undefined && { onRestart }),
    },
    stop ?? new AbortController().signal,
  );
}

function nodeCommand(port: number, vars: ExampleSettings['vars']) {
  return { args: ['server.ts'], env: { ...process.env, ...vars, PORT: String(port) } };
}

function workerCommand(port: number, state: string, vars: ExampleSettings['vars']) {
  const path = join(state, 'example.vars');
  writeEnvFile(path, vars);
  return { args: devArguments(port, join(state, 'example'), ['--env-file', path]), env: devEnvironment(state) };
}

// Sign-ups with the numbers of the sandbox, to try and to warm up with.

const MAX_TRIES = 50;
const BETWEEN_TRIES_MS = 100;

const TRIES = [
  { number: SANDBOX.listed, means: 'listed: 403 request-refused' },
  { number: SANDBOX.suspect, means: 'suspect: 403 challenge-required' },
  { number: SANDBOX.clear, means: 'clear: 201' },
];

function curlLines(url: string): string {
  return TRIES.map(
    ({ number, means }) =>
      `  curl -H 'Content-Type: application/json' -d '{"phone":"+${number}"}' ${url}/sign-up   # ${means}`,
  ).join('\n');
}

/**
 * Until both Workers have found each other and are warm, so that the first sign-up is not one for `onError`. Gives up
 * in the end: the policy or the overrides of this state may decide otherwise about these numbers.
 */
async function warmUp(url: string, stop: AbortSignal): Promise<void> {
  for (let i = 0; i < MAX_TRIES && !stop.aborted; i++) {
    const statuses = [await signUp(url, SANDBOX.listed), await signUp(url, SANDBOX.clear)];
    if (statuses[0] === 403 && statuses[1] === 201) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
}

async function signUp(url: string, number: number): Promise<number> {
  const response = await fetch(`${url}/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone: `+${number}` }),
  });
  await response.body?.cancel();
  return response.status;
}

/** Of the environment, handed on to the example. */
const HANDED_ON = ['TIMEOUT_MS', 'TURNSTILE_SECRET', 'TURNSTILE_URL'];

const onRestart = (message: string) => console.error(message);

async function main(): Promise<number> {
  const options = orHelp(exampleOptions(process.argv.slice(2)), HELP);
  if (options === null) return 0;
  const { example, port, ringfencePort, state } = options;
  givenAdminKey(process.env.RINGFENCE_ADMIN_KEY);
  checkWritableFolder(state, '--state');
  checkStateParts(state);
  await checkPort('--port', port);
  if (options.ringfence) await checkPort('--ringfence-port', ringfencePort);
  checkBundleFolder(bundleFolder(state));
  if (example.runs === 'worker') checkBundleFolder(join(EXAMPLES_FOLDER, example.name));
  const stop = stopSignal();
  const lock = lockState(state, 'npm run example', port);
  try {
    await run(options, stop);
  } catch (error) {
    // A process that a signal has ended did not fail.
    if (!stop.aborted) throw error;
  } finally {
    lock.release();
  }
  return 0;
}

/** Until it is told to stop. Nothing of the servers is left when this returns or rejects. */
async function run(options: ExampleOptions, stop: AbortSignal): Promise<void> {
  const { example, port, state, onError } = options;
  // Where Workers that run on this machine find each other; of this example alone, so that no other Ringfence answers.
  process.env.WRANGLER_REGISTRY_PATH ??= join(state, 'registry');
  console.log('Building the package and starting the Workers ...');
  await buildIfChanged();
  const adminKey = localAdminKey(state, process.env.RINGFENCE_ADMIN_KEY);
  const running: Server[] = [];
  try {
    const ringfence = options.ringfence ? await startRingfence(options, adminKey, stop) : null;
    if (ringfence !== null) running.push(ringfence);
    let isWarm = false;
    const onReport = (line: string) => {
      if (isWarm) console.log(line);
    };
    const vars = await variables(options, ringfence, adminKey);
    const started = await startExample(example, { port, state, vars, onReport, onRestart }, stop);
    running.push(started);
    if (ringfence !== null) await warmUp(started.url, stop);
    isWarm = true;
    if (stop.aborted) return;
    greet(example.name, onError, started, ringfence === null ? null : { url: ringfence.url, adminKey });
    await started.ended;
    if (!stop.aborted) throw new CommandError(`the example has ended; its output is in ${started.logPath}`);
  } finally {
    await Promise.all(running.map((one) => one.stop()));
  }
}

async function startRingfence(options: ExampleOptions, adminKey: string, stop: AbortSignal): Promise<DevServer> {
  const where = { port: options.ringfencePort, stateFolder: options.state, adminKey };
  const server = await startDevServer({ ...where, onRestart }, stop);
  const timer = keepTicking(server, () => undefined);
  void server.ended.then(() => {
    clearInterval(timer);
    if (!stop.aborted) console.error('Ringfence has ended; the example goes on without it.');
  });
  return server;
}

/** Of the example, secrets among them. */
async function variables(
  { example, ringfencePort, state, onError }: ExampleOptions,
  ringfence: DevServer | null,
  adminKey: string,
): Promise<Record<string, string>> {
  const vars: Record<string, string> = { ON_ERROR: onError };
  for (const name of HANDED_ON) {
    const value = process.env[name];
    if (value !== undefined) vars[name] = value;
  }
  if (example.reaches === 'url') {
    vars.RINGFENCE_URL = `http://${HOST}:${ringfencePort}`;
    vars.RINGFENCE_KEY = ringfence ? await lookupKey(ringfence.url, adminKey, state) : (keptLookupKey(state) ?? NO_KEY);
  }
  return vars;
}

function greet(
  name: string,
  onError: string,
  { url, logPath }: Server,
  ringfence: { readonly url: string; readonly adminKey: string } | null,
): void {
  const report = ringfence
    ? `Report a number; sign-ups with it are refused within a minute and a half:
  curl -H ${shellWord(`Authorization: Bearer ${ringfence.adminKey}`)} -H 'Content-Type: application/x-ndjson' --data-binary '{"number":"+12025550123","label":"modem_pool_card"}' ${ringfence.url}/v1/detections`
    : `There is no Ringfence: every sign-up gets what --on-error says, now ${onError}.`;
  console.log(`${name} listens on ${url}: open it for the form, or try:
${curlLines(url)}
${report}

What it decides follows here; all of its output is in ${logPath}. Ctrl-C stops everything.`);
}

if (import.meta.filename === process.argv[1]) await runCommand(main);
