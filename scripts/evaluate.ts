/** `npm run evaluate`: see scripts/evaluate/options.ts for what it takes. Exit code 2 if that cannot be done. */
import { evaluate } from './evaluate/evaluate.ts';
import { EvaluateError } from './evaluate/evaluate-error.ts';
import { lastDay } from './evaluate/history.ts';
import { jsonText } from './evaluate/json.ts';
import { EVALUATE_HELP, parseEvaluateOptions } from './evaluate/options.ts';
import { readHistory } from './evaluate/read-history.ts';
import { reportText } from './evaluate/report.ts';

try {
  const options = parseEvaluateOptions(process.argv.slice(2));
  if (options === null) process.stdout.write(EVALUATE_HELP);
  else {
    const { history, files } = await readHistory(options.files);
    const period = { from: options.from, to: options.to ?? lastDay(history) };
    const evaluation = evaluate(history, period, options.seed);
    process.stdout.write(options.json ? jsonText(evaluation, files) : reportText(evaluation, files));
  }
} catch (error) {
  if (!(error instanceof EvaluateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
