/** `npm start`: the Worker on this machine, with the sample list when its store is empty. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ImportError } from './import/import-error.ts';
import { summaryText } from './import/summary.ts';
import { localAdminKey } from './local/admin-key.ts';
import { StartError } from './local/child-process.ts';
import { type DevServer, startDevServer } from './local/dev-server.ts';
import { importSample, sampleNumber } from './local/sample.ts';
import { stopWithParent } from './local/stop-with-parent.ts';

const MINUTE_MS = 60_000;
/** Ticks after an import; the sample needs one. */
const MAX_TICKS = 100;

const HELP = `Starts Ringfence on this machine, in workerd, with KV and R2 kept on disk.

  npm start
  npm start -- --port 8787 --state .ringfence/state

  --port N     listen on http://127.0.0.1:N              (default 8787)
  --state DIR  where KV, R2 and the local admin key are  (default .ringfence/state)
  --empty      do not import the sample list into an empty store
  --no-cron    do not fire the cron handler every minute
  --help

RINGFENCE_ADMIN_KEY (32 characters or more) sets the admin key; otherwise one is made and kept in the state folder.
`;

function options() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      port: { type: 'string', default: '8787' },
      state: { type: 'string', default: '.ringfence/state' },
      empty: { type: 'boolean', default: false },
      cron: { type: 'boolean', default: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StartError(`--port: expected a number from 1 to 65535, found ${values.port}`);
  }
  return { ...values, port, state: resolve(values.state) };
}

interface StatusAnswer {
  readonly generation: number;
  readonly inventory: { readonly numbers: number };
  readonly waiting: { readonly batches: number };
}

async function statusOf(server: DevServer, key: string): Promise<StatusAnswer> {
  const response = await fetch(`${server.url}/v1/status`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) throw new StartError(`the Worker answers ${response.status} to its own admin key`);
  return (await response.json()) as StatusAnswer;
}

async function fill(server: DevServer, key: string, state: string): Promise<void> {
  console.log('The store is empty: importing the sample list of numbers seen on public SMS receiver sites.');
  const summary = await importSample(server, key, state);
  for (let i = 0; i < MAX_TICKS && (await statusOf(server, key)).waiting.batches > 0; i++) await server.tick();
  console.log(summaryText([summary]));
}

function greet(server: DevServer, key: string, status: StatusAnswer, hasSample: boolean): void {
  const auth = `-H 'Authorization: Bearer ${key}'`;
  // 202-555-0123 is reserved for fiction: nobody's number.
  const digits = hasSample ? sampleNumber() : '12025550123';
  console.log(`Ringfence listens on ${server.url}, with ${status.inventory.numbers} numbers in generation ${status.generation}.
Admin key (this machine only): ${key}

Look up a number${hasSample ? ' of the sample list' : ''}:
  curl ${auth} '${server.url}/v1/lookup?number=%2B${digits}'
Report a number; it is listed within a minute:
  curl ${auth} -H 'Content-Type: application/x-ndjson' -d '{"number":"+12025550123","channel":"otp_marketplace"}' ${server.url}/v1/detections
See how the store is:
  curl ${auth} ${server.url}/v1/status

The API, to read and to try: ${server.url}/docs
The Worker's log is ${server.logPath}. Ctrl-C stops it.`);
}

async function main(): Promise<void> {
  const { port, state, empty, cron, help } = options();
  if (help) {
    console.log(HELP);
    return;
  }
  const key = localAdminKey(state, process.env.RINGFENCE_ADMIN_KEY);
  console.log('Starting the Worker ...');
  const server = await startDevServer({ port, stateFolder: state, adminKey: key });
  let stopping = false;
  const quit = () => {
    stopping = true;
    void server.stop();
  };
  process.once('SIGINT', quit);
  process.once('SIGTERM', quit);
  stopWithParent(quit);
  try {
    const status = await statusOf(server, key);
    if (!empty && status.generation === 0 && status.waiting.batches === 0) await fill(server, key, state);
    const filled = await statusOf(server, key);
    greet(server, key, filled, !empty && filled.inventory.numbers > 0);
  } catch (error) {
    await server.stop();
    throw error;
  }
  if (cron) keepTicking(server);
  await server.ended;
  if (stopping) return;
  console.error(`The Worker has ended; its output is in ${server.logPath}`);
  process.exitCode = 1;
}

/** The cron trigger, which nothing fires locally. */
function keepTicking(server: DevServer): void {
  let running = false;
  setInterval(async () => {
    if (running) return;
    running = true;
    await server.tick().catch((error: Error) => console.error(`tick: ${error.message}`));
    running = false;
  }, MINUTE_MS).unref();
}

try {
  await main();
} catch (error) {
  if (!(error instanceof StartError || error instanceof ImportError || error instanceof RangeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
