/** The command line of `npm run example`. */
import { resolve } from 'node:path';
import { parseArguments, portOption } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';
import { userPath } from '../command/paths.ts';
import { EXAMPLES, type Example } from './examples.ts';

export interface ExampleOptions {
  readonly example: Example;
  readonly port: number;
  readonly ringfencePort: number;
  /** Absolute. */
  readonly state: string;
  readonly onError: string;
  /** False: as if Ringfence were down. */
  readonly ringfence: boolean;
}

export const HELP = `Starts an example, and a Ringfence with an empty store for it to ask.

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
export function exampleOptions(args: readonly string[]): ExampleOptions | null {
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
