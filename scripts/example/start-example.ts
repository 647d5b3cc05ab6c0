/** The example itself: a Worker in workerd, or a program of Node. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { EXAMPLES_FOLDER, type Example } from './examples.ts';

const WRANGLER = join(EXAMPLES_FOLDER, '..', 'node_modules', 'wrangler', 'bin', 'wrangler.js');
/** What the examples write for each sign-up, among all that wrangler writes. */
const REPORT = /^sign-up: /;

export interface ExampleSettings {
  readonly port: number;
  readonly state: string;
  /** Variables and secrets of the example. */
  readonly vars: Readonly<Record<string, string>>;
  /** Called with what the example writes of each sign-up. */
  readonly onReport: (line: string) => void;
}

/** @throws StartError when it does not come up */
export async function startExample(example: Example, settings: ExampleSettings): Promise<Child & { logPath: string }> {
  const { port, state, vars, onReport } = settings;
  mkdirSync(state, { recursive: true });
  const logPath = join(state, 'example.log');
  const onLine = (line: string) => {
    if (REPORT.test(line)) onReport(line);
  };
  const folder = join(EXAMPLES_FOLDER, example.name);
  const command = example.runs === 'node' ? nodeCommand(port, vars) : workerCommand(port, state, vars);
  return { ...(await startChild({ ...command, folder, port, logPath, onLine })), logPath };
}

function nodeCommand(port: number, vars: ExampleSettings['vars']) {
  return { args: ['server.ts'], env: { ...vars, PORT: String(port) } };
}

function workerCommand(port: number, state: string, vars: ExampleSettings['vars']) {
  // In a file, not on the command line, where every process of the machine could read it.
  const path = join(state, 'example.vars');
  const lines = Object.entries(vars).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600 });
  const dev = ['dev', '--port', String(port), '--ip', '127.0.0.1', '--persist-to', join(state, 'example')];
  // Any port for the debugger: wranglers that start at the same time take the default one from each other, and fail.
  const quiet = ['--inspector-port', '0', '--show-interactive-dev-session=false'];
  return {
    args: [WRANGLER, ...dev, '--env-file', path, ...quiet],
    env: {
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      X_LOCAL_OBSERVABILITY: 'false',
    },
  };
}
