/** `npm run evaluate`: see bench/evaluate/options.ts for what it takes. Exit code 2 if that cannot be done. */
import { orHelp } from '../scripts/command/arguments.ts';
import { userPath } from '../scripts/command/paths.ts';
import { runCommand } from '../scripts/command/run-command.ts';
import { evaluate } from './evaluate/evaluate.ts';
import { lastDay, readHistory } from './evaluate/history.ts';
import { EVALUATE_HELP, parseEvaluateOptions } from './evaluate/options.ts';
import { jsonText, reportText } from './evaluate/report.ts';

async function main(): Promise<number> {
  const options = orHelp(parseEvaluateOptions(process.argv.slice(2)), EVALUATE_HELP);
  if (options === null) return 0;
  const { history, files } = await readHistory(options.files.map(userPath));
  const period = { from: options.from, to: options.to ?? lastDay(history) };
  const evaluation = evaluate(history, period, options.seed);
  process.stdout.write(options.json ? jsonText(evaluation, files) : reportText(evaluation, files));
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
