import { parseArguments, wholeNumberOption } from '../command/arguments.ts';
import { UsageError } from '../command/errors.ts';
import { LOOKUPS_A_MONTH } from './assumptions.ts';

export interface Options {
  readonly seed: number;
  readonly cronSeconds: number;
  /** The loads that costs are told for. */
  readonly lookupsAMonth: readonly number[];
  /** Where the results go instead of bench/results/simulate.json. */
  readonly json: string | null;
  readonly writeDocs: boolean;
}

/** docs/SCALE.md is made with these. */
export const DEFAULT_OPTIONS: Options = {
  seed: 1,
  cronSeconds: 60,
  lookupsAMonth: LOOKUPS_A_MONTH,
  json: null,
  writeDocs: false,
};

export const HELP = `What Ringfence costs, how fresh it is and how far it scales, on paper and by simulation.

  npm run simulate
  npm run simulate -- faults               the Worker's parts in faulty weather, by seed
  npm run simulate -- mutants              faults in the code, and the seeds that find them
  npm run simulate -- load                 the server itself under load, with kills
  npm run simulate -- --seed 1 --cron 60 --lookups 10000000,100000000

faults, mutants and load have a --help of their own.

  --seed N         the same seed gives the same figures      (default ${DEFAULT_OPTIONS.seed})
  --cron SECONDS   between ticks                             (default ${DEFAULT_OPTIONS.cronSeconds})
  --lookups A,B,C  a month, that costs are told for
  --json FILE      where the results go                      (default bench/results/simulate.json)
  --write-docs     write the tables into docs/SCALE.md
  --help

Exit status: 0 every bar is met, 1 one is not, 2 the command line cannot be followed.
`;

/**
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(args: readonly string[]): Options | null {
  const { values } = parseArguments(args, {
    seed: { type: 'string', default: String(DEFAULT_OPTIONS.seed) },
    cron: { type: 'string', default: String(DEFAULT_OPTIONS.cronSeconds) },
    lookups: { type: 'string' },
    json: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (values.help) return null;
  const seed = wholeNumberOption('--seed', values.seed, 0);
  const cronSeconds = wholeNumberOption('--cron', values.cron, 10);
  const lookupsAMonth =
    values.lookups === undefined
      ? DEFAULT_OPTIONS.lookupsAMonth
      : values.lookups.split(',').map((text) => wholeNumberOption('--lookups', text, 1));
  const { lookupsAMonth: usual } = DEFAULT_OPTIONS;
  const isDefault =
    seed === DEFAULT_OPTIONS.seed && cronSeconds === DEFAULT_OPTIONS.cronSeconds && lookupsAMonth === usual;
  if (values['write-docs'] && !isDefault)
    throw new UsageError('--write-docs goes with the default seed, cron and lookups only');
  return { seed, cronSeconds, lookupsAMonth, json: values.json ?? null, writeDocs: values['write-docs'] };
}
