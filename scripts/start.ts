/** `npm start`: Ringfence on this machine, with a sample list, until Ctrl-C. */
import { messageOf } from '../src/lib/errors.ts';
import { orHelp, parseArguments, portOption, shellWord } from './command/arguments.ts';
import { CommandError } from './command/errors.ts';
import { checkWritableFolder, DEFAULT_STATE, statePath } from './command/paths.ts';
import { EXIT_FAILED, runCommand } from './command/run-command.ts';
import { summaryText } from './import.ts';
import { bundleFolder, type DevServer, keepTicking, startDevServer, TICK_PATH } from './local/dev-server.ts';
import { checkPort } from './local/port.ts';
import { importSample, sampleNumber, sampleState } from './local/sample.ts';
import { checkStateParts, givenAdminKey, localAdminKey, lockState } from './local/state.ts';
import { stopSignal } from './local/stop-signal.ts';
import { checkBundleFolder } from './local/wrangler.ts';

/** Ticks after an import; the sample needs one. */
const MAX_TICKS = 100;

const HELP = `Starts Ringfence on this machine, in workerd, with KV and R2 kept on disk.

  npm start
  npm start -- --port 8787 --state ${DEFAULT_STATE}

  --port N     listen on http://127.0.0.1:N              (default 8787)
  --state DIR  where KV, R2 and the local admin key are  (default ${DEFAULT_STATE})
  --empty      do not import the sample list into an empty store
  --no-cron    do not fire the cron handler every minute
  --help

RINGFENCE_ADMIN_KEY (32 characters or more) sets the admin key; otherwise one is made and kept in the state folder.
`;

const OPTIONS = {
  port: { type: 'string', default: '8787' },
  state: { type: 'string' },
  empty: { type: 'boolean', default: false },
  cron: { type: 'boolean', default: true },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

interface StatusAnswer {
  readonly generation: number;
  readonly inventory: { readonly numbers: number };
  readonly waiting: { readonly batches: number };
}

async function statusOf(server: DevServer, key: string): Promise<StatusAnswer> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${server.url}/v1/status`, { headers }).catch((cause: unknown) => {
    throw new CommandError(`the Worker does not answer any more; its output is in ${server.logPath}`, { cause });
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new CommandError(
      `the Worker answers ${response.status} to its own admin key; its output is in ${server.logPath}`,
    );
  }
  return (await response.json()) as StatusAnswer;
}

/** The sample list, if the store is empty or an earlier start was stopped before it was in. */
async function fill(server: DevServer, key: string, state: string, stop: AbortSignal): Promise<void> {
  const { generation, waiting } = await statusOf(server, key);
  const isEmpty = generation === 0 && waiting.batches === 0;
  const sample = sampleState(state);
  if (sample === 'whole' || (sample === 'none' && !isEmpty)) return;
  console.log(
    sample === 'none'
      ? 'The store is empty: importing the sample list of numbers seen on public SMS receiver sites.'
      : 'Going on with the sample list of numbers seen on public SMS receiver sites, where an earlier start was stopped.',
  );
  try {
    const summary = await importSample(server, key, state, stop);
    for (let i = 0; i < MAX_TICKS && (await statusOf(server, key)).waiting.batches > 0; i++) await server.tick();
    console.log(summaryText([summary]));
  } catch (error) {
    if (stop.aborted || isEmpty) throw error;
    // What is there is served all the same.
    console.error(`The sample list is not whole; the next start goes on with it: ${messageOf(error)}`);
  }
}

interface Greeting {
  readonly hasSample: boolean;
  /** Whether the cron handler is fired every minute. */
  readonly ticks: boolean;
}

function greet(server: DevServer, key: string, status: StatusAnswer, { hasSample, ticks }: Greeting): void {
  const curl = `curl${isProxied(process.env) ? " --noproxy '*'" : ''} -H ${shellWord(`Authorization: Bearer ${key}`)}`;
  // 202-555-0123 is reserved for fiction: nobody's number.
  const digits = hasSample ? sampleNumber() : '12025550123';
  console.log(`Ringfence listens on ${server.url}, with ${status.inventory.numbers} numbers in generation ${status.generation}.
Admin key (this machine only): ${key}

Look up a number${hasSample ? ' of the sample list' : ''}:
  ${curl} '${server.url}/v1/lookup?number=%2B${digits}'
Report a number; it is listed ${ticks ? 'within a minute and a half' : `once the cron handler has run, by curl '${server.url}${TICK_PATH}'`}:
  ${curl} -H 'Content-Type: application/x-ndjson' --data-binary '{"number":"+12025550123","label":"modem_pool_card","channel":"otp_marketplace"}' ${server.url}/v1/detections
See how the store is:
  ${curl} ${server.url}/v1/status

The API, to read and to try: ${server.url}/docs
The Worker's log is ${server.logPath}. Ctrl-C stops it.`);
}

/** Whether curl would ask a proxy for this machine; it knows NO_PROXY from the person's shell, not from here. */
function isProxied({ http_proxy, all_proxy, ALL_PROXY }: Readonly<Record<string, string | undefined>>): boolean {
  return [http_proxy, all_proxy, ALL_PROXY].some(Boolean);
}

async function main(): Promise<number> {
  const { values } = parseArguments(process.argv.slice(2), OPTIONS);
  if (orHelp(values.help ? null : values, HELP) === null) return 0;
  const port = portOption('--port', values.port);
  givenAdminKey(process.env.RINGFENCE_ADMIN_KEY);
  const state = statePath(values.state);
  checkWritableFolder(state, '--state');
  checkStateParts(state);
  checkBundleFolder(bundleFolder(state));
  const stop = stopSignal();
  const lock = lockState(state, 'npm start', port);
  try {
    const key = localAdminKey(state, process.env.RINGFENCE_ADMIN_KEY);
    await checkPort('--port', port);
    return await serve({ port, state, key, isFilled: !values.empty, ticks: values.cron }, stop);
  } catch (error) {
    if (stop.aborted) return 0;
    throw error;
  } finally {
    lock.release();
  }
}

interface Serving {
  readonly port: number;
  readonly state: string;
  readonly key: string;
  /** Whether the sample list belongs into an empty store. */
  readonly isFilled: boolean;
  readonly ticks: boolean;
}

/** Until it is told to stop. Nothing of the server is left when this returns or rejects. */
async function serve({ port, state, key, isFilled, ticks }: Serving, stop: AbortSignal): Promise<number> {
  console.log('Starting the Worker ...');
  const onRestart = (message: string) => console.error(message);
  const server = await startDevServer({ port, stateFolder: state, adminKey: key, onRestart }, stop);
  let timer: NodeJS.Timeout | undefined;
  try {
    if (isFilled) await fill(server, key, state, stop);
    const status = await statusOf(server, key);
    greet(server, key, status, { hasSample: isFilled && status.inventory.numbers > 0, ticks });
    const onFailure = (error: unknown) => {
      if (!stop.aborted) console.error(`tick: ${messageOf(error)}`);
    };
    if (ticks) timer = keepTicking(server, onFailure);
    await server.ended;
  } finally {
    clearInterval(timer);
    await server.stop();
  }
  if (stop.aborted) return 0;
  console.error(`The Worker has ended; its output is in ${server.logPath}`);
  return EXIT_FAILED;
}

await runCommand(main);
