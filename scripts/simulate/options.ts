import { parseArgs } from 'node:util';
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

/** Throws with a message for the terminal when the arguments make no sense. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: String(DEFAULT_OPTIONS.seed) },
      cron: { type: 'string', default: String(DEFAULT_OPTIONS.cronSeconds) },
      lookups: { type: 'string' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
    },
  });
  const seed = wholeNumber('seed', values.seed, 0);
  const cronSeconds = wholeNumber('cron', values.cron, 10);
  const lookupsAMonth =
    values.lookups === undefined
      ? DEFAULT_OPTIONS.lookupsAMonth
      : values.lookups.split(',').map((text) => wholeNumber('lookups', text, 1));
  const { lookupsAMonth: usual } = DEFAULT_OPTIONS;
  const isDefault =
    seed === DEFAULT_OPTIONS.seed && cronSeconds === DEFAULT_OPTIONS.cronSeconds && lookupsAMonth === usual;
  if (values['write-docs'] && !isDefault)
    throw new Error('--write-docs goes with the default seed, cron and lookups only');
  return { seed, cronSeconds, lookupsAMonth, json: values.json ?? null, writeDocs: values['write-docs'] };
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Error(`--${name} takes a whole number of at least ${least}, not "${text}"`);
  }
  return value;
}
