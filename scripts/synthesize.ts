/** `npm run synthesize`: see scripts/synthesize/options.ts for what it takes. Exit code 2 if that cannot be done. */
import { HELP, parseOptions } from './synthesize/options.ts';
import { Progress } from './synthesize/progress.ts';
import { reportText } from './synthesize/report.ts';
import { SynthesisError } from './synthesize/synthesis-error.ts';
import { writeSynthetic } from './synthesize/write.ts';

try {
  const request = parseOptions(process.argv.slice(2));
  if (request === null) process.stdout.write(HELP);
  else if (request.report) process.stdout.write(reportText(request.options));
  else {
    const progress = new Progress(process.stderr);
    try {
      const { options, folder, files } = request;
      const written = await writeSynthetic(options, folder, (...done) => progress.update(...done), files);
      progress.stop();
      for (const { path, rows, bytes } of written) process.stdout.write(`${path}: ${rows} rows, ${bytes} bytes\n`);
    } finally {
      progress.stop();
    }
  }
} catch (error) {
  if (!(error instanceof SynthesisError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
