/**
 * `npm run simulate [-- --seed N --cron SECONDS --lookups A,B,C --json FILE --write-docs]`: what Ringfence costs, how
 * fresh it is and how far it scales, on paper and by simulation. Prints tables, writes them to
 * bench/results/simulate.json, and with --write-docs into docs/SCALE.md. The same seed gives the same figures. The exit
 * status is 1 when a bar is not met.
 *
 * `npm run simulate -- faults` runs the Worker's parts while calls fail and isolates end, by seed
 * (simulate/faults/command.ts). `npm run simulate -- mutants` puts faults into the code and sees them found
 * (simulate/faults/mutate.ts). `npm run simulate -- load` runs the server itself under load (simulate/load/load.ts).
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { orHelp, parseArguments, wholeNumberOption } from '../scripts/command/arguments.ts';
import { UsageError } from '../scripts/command/errors.ts';
import { checkOutputFile, checkWritableFolder, userPath } from '../scripts/command/paths.ts';
import { runCommand } from '../scripts/command/run-command.ts';
import { type Bar, textTable } from './report.ts';
import { assumptionsSection, LOOKUPS_A_MONTH } from './simulate/assumptions.ts';
import { costSection, designsSection, sizesSection, storageDollars } from './simulate/cost.ts';
import { faults } from './simulate/faults/command.ts';
import { mutants } from './simulate/faults/mutate.ts';
import { manifestSection } from './simulate/first-lookup.ts';
import { freshnessSection } from './simulate/freshness.ts';
import { billionSection, warmingSection } from './simulate/isolates.ts';
import { latencySection } from './simulate/latency.ts';
import { load } from './simulate/load/load.ts';
import { mergeSection } from './simulate/merge.ts';
import { modelScales } from './simulate/model.ts';
import { flatten, SCALE_DOCUMENT, type Section, type Table, withTables } from './simulate/table.ts';
import { measureTicks } from './simulate/tick-calls.ts';
import { Random } from './support/random.ts';

interface Options {
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

const HELP = `What Ringfence costs, how fresh it is and how far it scales, on paper and by simulation.

  npm run simulate
  npm run simulate -- latency              answers' latency over all cities, alone; --seed N
  npm run simulate -- faults               the Worker's parts while calls fail and isolates end, by seed
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

// All sections in order; the same options give the same figures.

export async function simulate({ seed, cronSeconds, lookupsAMonth }: Options): Promise<Section> {
  const random = new Random(seed);
  const models = await modelScales(random.stream('sizes'));
  const measured = await measureTicks(random.stream('ticks'));
  const sections = [
    assumptionsSection(),
    sizesSection(models, measured),
    costSection(models, measured, lookupsAMonth),
    designsSection(models, storageDollars(models, measured)),
    manifestSection(models),
    freshnessSection(random.stream('freshness'), models, cronSeconds * 1000),
    latencySection(random.stream('latency'), models),
    warmingSection(random.stream('warming'), models, lookupsAMonth),
    mergeSection(random.stream('merge'), models),
    billionSection(random.stream('billion'), models),
  ];
  const bars = sections.flatMap((section) => section.bars);
  return { tables: [...sections.flatMap(({ tables }) => tables), barsTable(bars)], bars };
}

function barsTable(bars: readonly Bar[]): Table {
  const rows = bars.map(({ what, value, wanted, limit, met }) => ({
    bar: what,
    value,
    limit: `${wanted} ${limit}`,
    met: met ? 'yes' : '**no**',
  }));
  return { id: 'bars', title: 'Bars', rows };
}

const RESULTS_FILE = join(import.meta.dirname, 'results', 'simulate.json');

/** `npm run simulate -- latency [--seed N]`: the section of latency alone, with the figures that the whole has. */
async function latency(args: readonly string[]): Promise<number> {
  const options = {
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  const { values } = parseArguments(args, options);
  if (orHelp(values.help ? null : values, HELP) === null) return 0;
  const random = new Random(wholeNumberOption('--seed', values.seed, 0));
  const { tables, bars } = latencySection(random.stream('latency'), await modelScales(random.stream('sizes')));
  for (const { title, rows } of [...tables, barsTable(bars)]) console.log(`\n${title}\n${textTable(rows)}`);
  return bars.every(({ met }) => met) ? 0 : 1;
}

/** What the first argument makes of the command, each with options of its own. */
const OTHERS = new Map<string, (args: readonly string[]) => number | Promise<number>>([
  ['latency', latency],
  ['faults', faults],
  ['mutants', mutants],
  ['load', load],
]);

async function main(): Promise<number> {
  const [command, ...rest] = process.argv.slice(2);
  if (command !== undefined && !command.startsWith('-')) {
    const other = OTHERS.get(command);
    if (other !== undefined) return other(rest);
    throw new UsageError(`expected ${[...OTHERS.keys()].join(', ')}, or options alone; --help says more`);
  }
  const options = orHelp(parseOptions(process.argv.slice(2)), HELP);
  if (options === null) return 0;
  const file = options.json === null ? RESULTS_FILE : userPath(options.json);
  checkWritableFolder(dirname(file), '--json');
  checkOutputFile(file);
  const { tables, bars } = await simulate(options);
  for (const { title, rows } of tables) console.log(`\n${title}\n${textTable(rows)}`);
  const result = { name: 'simulate', rows: tables.flatMap(flatten), bars };
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  if (options.writeDocs) {
    writeFileSync(SCALE_DOCUMENT, withTables(readFileSync(SCALE_DOCUMENT, 'utf8'), tables));
  }
  return bars.every(({ met }) => met) ? 0 : 1;
}

if (import.meta.filename === process.argv[1]) await runCommand(main);
