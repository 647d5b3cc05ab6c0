/** `npm run example`: an example and a Ringfence for it to ask, on this machine, until Ctrl-C. */
import { join } from 'node:path';
import { BuildError } from './build-package/entries.ts';
import { buildIfChanged } from './example/build.ts';
import { keptLookupKey, lookupKey, NO_KEY } from './example/lookup-key.ts';
import { type ExampleOptions, exampleOptions, HELP } from './example/options.ts';
import { curlLines, warmUp } from './example/sandbox-sign-ups.ts';
import { startExample } from './example/start-example.ts';
import { localAdminKey } from './local/admin-key.ts';
import { checkPort, StartError } from './local/child-process.ts';
import { type DevServer, startDevServer } from './local/dev-server.ts';
import { stopWithParent } from './local/stop-with-parent.ts';

const MINUTE_MS = 60_000;
/** Of the environment, handed on to the example. */
const HANDED_ON = ['TIMEOUT_MS', 'TURNSTILE_SECRET', 'TURNSTILE_URL'];

/** What is running, so that a signal stops it whenever it comes. */
const running: { stop(): Promise<void> }[] = [];
let stopping = false;

async function stopAll(): Promise<void> {
  stopping = true;
  await Promise.all(running.map((one) => one.stop()));
}

async function startRingfence(options: ExampleOptions, adminKey: string): Promise<DevServer> {
  const server = await startDevServer({ port: options.ringfencePort, stateFolder: options.state, adminKey });
  running.push(server);
  // The cron trigger, which nothing fires locally.
  setInterval(() => server.tick().catch(() => undefined), MINUTE_MS).unref();
  void server.ended.then(() => {
    if (!stopping) console.error('Ringfence has ended; the example goes on without it.');
  });
  return server;
}

async function main(): Promise<void> {
  const options = exampleOptions(process.argv.slice(2));
  if (options === null) {
    console.log(HELP);
    return;
  }
  const { example, port, ringfencePort, state, onError } = options;
  await checkPort('--port', port);
  if (options.ringfence) await checkPort('--ringfence-port', ringfencePort);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stopAll());
  stopWithParent(() => void stopAll());
  // Where Workers that run on this machine find each other; of this example alone, so that no other Ringfence answers.
  process.env.WRANGLER_REGISTRY_PATH ??= join(state, 'registry');

  console.log('Building the package and starting the Workers ...');
  await buildIfChanged();
  const adminKey = localAdminKey(state, process.env.RINGFENCE_ADMIN_KEY);
  const ringfence = options.ringfence && !stopping ? await startRingfence(options, adminKey) : null;
  if (stopping) return;

  const vars: Record<string, string> = { ON_ERROR: onError };
  for (const name of HANDED_ON) {
    const value = process.env[name];
    if (value !== undefined) vars[name] = value;
  }
  if (example.reaches === 'url') {
    vars.RINGFENCE_URL = `http://127.0.0.1:${ringfencePort}`;
    vars.RINGFENCE_KEY = ringfence ? await lookupKey(ringfence.url, adminKey, state) : (keptLookupKey(state) ?? NO_KEY);
  }
  let isWarm = false;
  const onReport = (line: string) => {
    if (isWarm) console.log(line);
  };
  const started = await startExample(example, { port, state, vars, onReport });
  running.push(started);
  if (ringfence && !stopping) await warmUp(started.url);
  isWarm = true;
  if (stopping) return;
  greet(options, started, ringfence === null ? null : { url: ringfence.url, adminKey });
  await started.ended;
  if (stopping) return;
  throw new StartError(`the example has ended; its output is in ${started.logPath}`);
}

function greet(
  { example, onError }: ExampleOptions,
  { url, logPath }: { readonly url: string; readonly logPath: string },
  ringfence: { readonly url: string; readonly adminKey: string } | null,
): void {
  const report = ringfence
    ? `Report a number; sign-ups with it are refused within a minute:
  curl -H 'Authorization: Bearer ${ringfence.adminKey}' -H 'Content-Type: application/x-ndjson' -d '{"number":"+12025550123"}' ${ringfence.url}/v1/detections`
    : `There is no Ringfence: every sign-up gets what --on-error says, now ${onError}.`;
  console.log(`${example.name} listens on ${url}: open it for the form, or try:
${curlLines(url)}
${report}

What it decides follows here; all of its output is in ${logPath}. Ctrl-C stops everything.`);
}

try {
  await main();
} catch (error) {
  const isExpected = error instanceof StartError || error instanceof BuildError || error instanceof RangeError;
  // A process that a signal has ended did not fail.
  if (!isExpected) throw error;
  if (!stopping) {
    console.error(error.message);
    process.exitCode = 1;
  }
} finally {
  await stopAll();
}
