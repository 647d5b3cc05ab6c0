import { RETAINED_PREFIX } from '../../src/store/keys.ts';
import { parseArguments } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';
import { NO_DECISIONS } from './decided.ts';

export const HELP = `Checks a store, and builds a new one from its batches. Changes nothing in the store it looks at.

  npm run fsck
  npm run fsck -- --state .ringfence/state --verify-batches
  npm run fsck -- --state .ringfence/state --rebuild .ringfence/rebuilt

  --state DIR       the state folder of npm start      (default .ringfence/state)
  --verify-batches  also fold all kept batches and compare the result with the inventory, byte by byte; needs up to
                    twice the size of the inventory in the temporary folder (TMPDIR)
  --rebuild DIR     build a new state folder from the kept batches and the API keys alone, then check that one
  --decisions KEY   with --rebuild, where what was kept out of the inventory cannot be told, which it says: go by the
                    copy of a manifest with this key (manifests/...), or by nothing (none), and screen the rest anew
  --help

Stop the server first: two processes on one state folder make each other's reads and writes fail.

Exit status: 0 the store is sound (there may be warnings), 1 it has errors, 2 it could not be looked at.

There is no --remote. Wrangler can bind a script to a deployed bucket and namespace, but this program has not been tried
with them, so it does not offer it.
`;

export interface Options {
  /** Null: that of `npm start`. */
  readonly state: string | null;
  readonly verifyBatches: boolean;
  /** Where the new state folder goes; null: only check. */
  readonly rebuild: string | null;
  /** Of a rebuild: key of a copy of a manifest, or NO_DECISIONS; null: nothing is chosen. */
  readonly decisions: string | null;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArguments(args, OPTIONS);
  if (values.help) return null;
  if (values.remote) {
    throw new UsageError('--remote is not offered: it has not been tried with a deployed store. --help says more');
  }
  const { state = null, rebuild = null, decisions = null, 'verify-batches': verifyBatches } = values;
  if (decisions !== null && rebuild === null) throw new UsageError('--decisions is of --rebuild DIR: give that too');
  if (decisions !== null && decisions !== NO_DECISIONS && !decisions.startsWith(RETAINED_PREFIX)) {
    throw new UsageError(`--decisions: expected a key below ${RETAINED_PREFIX}, or ${NO_DECISIONS}`);
  }
  return { state, verifyBatches, rebuild, decisions };
}

const OPTIONS = {
  state: { type: 'string' },
  'verify-batches': { type: 'boolean', default: false },
  rebuild: { type: 'string' },
  decisions: { type: 'string' },
  remote: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;
