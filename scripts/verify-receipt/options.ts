import { parseArguments } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';

export const HELP = `Makes the answer of a lookup again from its receipt, and compares the two.

  curl … -d '{"number": "+…", "receipt": true}' …/v1/lookup > answer.json
  npm run verify-receipt -- answer.json

  --state DIR   a state folder of npm start, or a copy of a deployment's objects in one  (default .ringfence/state)
  --help

An answer is made again, exactly, as long as the segments that its receipt names are there: for some three days, and in
any copy of them that you keep. After that it is held against what the store says today had been observed by the end of
that day. Stop the server first: two processes on one state folder make each other's reads and writes fail.

Exit status: 0 the answer is confirmed, 1 it is not, 2 it could not be looked at.
`;

export interface Options {
  readonly file: string;
  /** Null: that of `npm start`. */
  readonly state: string | null;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values, positionals } = parseArguments(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) {
    throw new UsageError('expected one file with the answer of a lookup; --help says more');
  }
  return { file, state: values.state ?? null };
}

const OPTIONS = {
  state: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;
