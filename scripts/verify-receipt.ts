/** `npm run verify-receipt`: makes an answer again from its receipt. See scripts/verify-receipt/options.ts. */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { lookupAnswer } from '../src/http/lookup-schema.ts';
import { checkInputFile, statePath, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { openLocalStore } from './fsck/local-store.ts';
import { LookError } from './fsck/look.ts';
import { HELP, parseOptions } from './verify-receipt/options.ts';
import { type ReceiptedAnswer, verifyReceipt } from './verify-receipt/verify.ts';

const EXIT_DIFFERS = 1;
const EXIT_NOT_LOOKED = 2;

const FROM = {
  sandbox: 'a number of the sandbox, which always answers so',
  segments: 'made again from the segments that the receipt names',
  day: 'held against what the store knows today of that day (segments of the receipt are gone)',
};

/** @throws LookError naming what was expected; nothing of the file is quoted, since it names a number */
function readAnswer(file: string): ReceiptedAnswer {
  let value: unknown;
  checkInputFile(file);
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new LookError(`${file} cannot be read as JSON`, { cause: error });
  }
  const parsed = v.safeParse(lookupAnswer, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new LookError(`${file} is no answer of a lookup: ${v.getDotPath(issue) ?? 'it'} is not as expected`);
  }
  const { receipt } = parsed.output;
  if (receipt === undefined) throw new LookError(`${file} has no receipt: ask for one with "receipt": true`);
  return { ...parsed.output, receipt };
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const answer = readAnswer(userPath(options.file));
  const store = await openLocalStore(statePath(options.state ?? undefined), {
    command: 'npm run verify-receipt',
    create: false,
  });
  try {
    const { from, differing } = await verifyReceipt(store, answer);
    const { verdict, action, rule, generation, receipt } = answer;
    console.log(`${verdict}, ${action} by ${rule}, generation ${generation}, ${receipt.decidedAt}`);
    console.log(
      differing.length === 0 ? `confirmed: ${FROM[from]}` : `differs in ${differing.join(', ')}: ${FROM[from]}`,
    );
    return differing.length === 0 ? 0 : EXIT_DIFFERS;
  } finally {
    await store.close();
  }
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: EXIT_NOT_LOOKED });
