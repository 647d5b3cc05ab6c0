/** `npm run example`: an example and a Ringfence for it to ask, on this machine, until Ctrl-C. */
import { join } from 'node:path';
import { shellWord } from './command/arguments.ts';
import { CommandError } from './command/errors.ts';
import { checkWritableFolder } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { buildIfChanged } from './example/build.ts';
import { EXAMPLES_FOLDER } from './example/examples.ts';
import { keptLookupKey, lookupKey, NO_KEY } from './example/lookup-key.ts';
import { type ExampleOptions, exampleOptions, HELP } from './example/options.ts';
import { curlLines, warmUp } from './example/sandbox-sign-ups.ts';
import { startExample } from './example/start-example.ts';
import { givenAdminKey, localAdminKey } from './local/admin-key.ts';
import { bundleFolder, type DevServer, keepTicking, startDevServer } from './local/dev-server.ts';
import { checkPort, HOST } from './local/port.ts';
import { lockState } from './local/state-lock.ts';
import { checkStateParts } from './local/state-parts.ts';
import { stopSignal } from './local/stop-signal.ts';
import type { Server } from './local/supervisor.ts';
import { checkBundleFolder } from './local/wrangler.ts';

/** Of the environment, handed on to the example. */
const HANDED_ON = ['TIMEOUT_MS', 'TURNSTILE_SECRET', 'TURNSTILE_URL'];

const onRestart = (message: string) => console.error(message);

async function main(): Promise<number> {
  const options = exampleOptions(process.argv.slice(2));
  if (options === null) {
    console.log(HELP);
    return 0;
  }
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
    ? `Report a number; sign-ups with it are refused within a minute:
  curl -H ${shellWord(`Authorization: Bearer ${ringfence.adminKey}`)} -H 'Content-Type: application/x-ndjson' -d '{"number":"+12025550123","label":"modem_pool_card"}' ${ringfence.url}/v1/detections`
    : `There is no Ringfence: every sign-up gets what --on-error says, now ${onError}.`;
  console.log(`${name} listens on ${url}: open it for the form, or try:
${curlLines(url)}
${report}

What it decides follows here; all of its output is in ${logPath}. Ctrl-C stops everything.`);
}

await runCommand(main);
