/** `npm run synthesize`: HELP says what it takes. Exit code 2 if that cannot be done. */
import { resolve } from 'node:path';
import { orHelp, parseArguments, wholeNumberOption } from '../scripts/command/arguments.ts';
import { UsageError } from '../scripts/command/errors.ts';
import { checkWritableFolder, userPath } from '../scripts/command/paths.ts';
import { outputOf, Progress, type ProgressStyle } from '../scripts/command/progress.ts';
import { runCommand } from '../scripts/command/run-command.ts';
import { DEFAULT_SEED, PUBLISHED, type SynthesisOptions, synthesisOptions } from './synthesize/layout.ts';
import { reportText } from './synthesize/report.ts';
import { SYNTHETIC_FILES, type SyntheticFile, writeSynthetic } from './synthesize/write.ts';

const DEFAULT_FOLDER = '.bench/synthetic';

const HELP = `Writes made-up detections, calibrated to published figures: inventory.csv and fortnight.csv.

  npm run synthesize -- [options]

  --seed N         the same seed gives the same bytes           (default ${DEFAULT_SEED})
  --numbers N      in the inventory                             (default ${PUBLISHED.numbers})
  --captured N     in the fortnight 2025-05-16 to 2025-05-30    (default ${PUBLISHED.captured}, in proportion to --numbers)
  --first-time N   of those captured, not in the inventory      (default ${PUBLISHED.firstTime}, in proportion to --captured)
  --out DIR        where the files go                           (default ${DEFAULT_FOLDER})
  --only FILE      inventory or fortnight
  --report         write no files; print how the numbers cluster, beside the real history if it is there
  --help

The numbers lie in ranges that are assigned for mobiles; nobody has seen any of them in the underground economy.
`;

interface Request {
  readonly options: SynthesisOptions;
  readonly folder: string;
  readonly files: readonly SyntheticFile[];
  readonly report: boolean;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
export function parseOptions(args: readonly string[]): Request | null {
  const { values } = parseArguments(args, OPTIONS);
  if (values.help) return null;
  const files = SYNTHETIC_FILES.filter((file) => values.only === undefined || values.only === file);
  if (files.length === 0) throw new UsageError(`expected --only inventory or fortnight; found ${values.only}`);
  return {
    options: synthesisOptions({
      ...countOf('seed', values.seed),
      ...countOf('numbers', values.numbers),
      ...countOf('captured', values.captured),
      ...countOf('firstTime', values['first-time']),
    }),
    folder: values.out ?? DEFAULT_FOLDER,
    files,
    report: values.report === true,
  };
}

function countOf(option: keyof SynthesisOptions, text: string | undefined): Partial<SynthesisOptions> {
  if (text === undefined) return {};
  return { [option]: wholeNumberOption(option === 'firstTime' ? '--first-time' : `--${option}`, text, 0) };
}

const OPTIONS = {
  seed: { type: 'string' },
  numbers: { type: 'string' },
  captured: { type: 'string' },
  'first-time': { type: 'string' },
  out: { type: 'string' },
  only: { type: 'string' },
  report: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const PROGRESS: ProgressStyle = {
  bar: '{title} [{bar}] {percentage}% | {value} of {total} rows | {eta_formatted} left',
  line: '{title}: {rows} rows',
  onlyAtEnd: true,
};

async function main(): Promise<number> {
  const request = orHelp(parseOptions(process.argv.slice(2)), HELP);
  if (request === null) return 0;
  if (request.report) process.stdout.write(reportText(request.options));
  else {
    const { options, files } = request;
    const folder = request.folder === DEFAULT_FOLDER ? resolve(DEFAULT_FOLDER) : userPath(request.folder);
    checkWritableFolder(folder, '--out');
    const progress = new Progress(outputOf(process.stderr), () => Date.now(), PROGRESS);
    let current: SyntheticFile | null = null;
    const onProgress = (file: SyntheticFile, rows: number, totalRows: number) => {
      if (file !== current) progress.begin(file, totalRows);
      current = file;
      progress.update(rows, { rows: String(rows) });
    };
    try {
      const written = await writeSynthetic(options, folder, onProgress, files);
      progress.end();
      for (const { path, rows, bytes } of written) process.stdout.write(`${path}: ${rows} rows, ${bytes} bytes\n`);
    } finally {
      progress.end();
    }
  }
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
