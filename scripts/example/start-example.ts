/** The example itself: a Worker in workerd, or a program of Node. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeEnvFile } from '../local/env-file.ts';
import { type Server, startServer } from '../local/supervisor.ts';
import { devArguments, devEnvironment } from '../local/wrangler.ts';
import { EXAMPLES_FOLDER, type Example } from './examples.ts';

/** What the examples write for each sign-up, among all that wrangler writes. */
const REPORT = /^sign-up: /;

export interface ExampleSettings {
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
