/** `npm run generate-plan`: writes the number plan that lookups read. A test holds the file in step with it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { orHelp, parseArguments, wholeNumberOption } from './command/arguments.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { compile } from './generate-plan/automaton.ts';
import { encode } from './generate-plan/encode.ts';
import { callingCodes, LIBRARY_VERSION, plansForParsing } from './generate-plan/metadata.ts';
import { verify } from './generate-plan/verify.ts';

export const PLAN_FILE = 'src/generated/number-plan.ts';

/** The text of PLAN_FILE. */
export function generatePlan(): string {
  const codes = callingCodes();
  const { states, common, verdicts, parts } = encode(compile(codes));
  const written = codes.map(
    ({ code, plans }) => code + plans.flatMap(({ country }) => (country === null ? [] : [country])).join(','),
  );
  const parsing = JSON.stringify(plansForParsing());
  if (/[`$]\{|`/.test(parsing)) throw new Error('the plans have a character that ends a template');
  return `/** Written by \`npm run generate-plan\` from libphonenumber's metadata; changes made here are lost. */

/** Of libphonenumber-js, whose metadata it is. */
export const PLAN_VERSION = '${LIBRARY_VERSION}';

/** What src/phone/table.ts unpacks. */
export const PLAN_TABLE = {
  callingCodes:
    '${written.join(';')}',
  states: ${states},
  common: ${common},
  verdicts:
    '${verdicts.join(' ')}',
  parts:
    '${parts}',
};

/** JSON: what libphonenumber needs of each plan to find the digits that a text means (src/phone/plan.ts). */
export const PLANS_FOR_PARSING = String.raw\`${parsing}\`;
`;
}

const HELP = `npm run generate-plan -- [options]

Writes the number plan that lookups read, ${PLAN_FILE}, from libphonenumber's metadata.

  --verify COUNT   writes nothing, and compares what Ringfence reads with what libphonenumber does, on so many
                   numbers made for every territory; ten million take some minutes
  --seed N         other numbers than those of seed 1
`;

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    const { values } = parseArguments(process.argv.slice(2), {
      help: { type: 'boolean', short: 'h', default: false },
      verify: { type: 'string' },
      seed: { type: 'string', default: '1' },
    });
    if (orHelp(values.help ? null : values, HELP) === null) return 0;
    if (values.verify !== undefined) {
      const [count, seed] = [
        wholeNumberOption('--verify', values.verify, 1),
        wholeNumberOption('--seed', values.seed, 0),
      ];
      const { told, ...figures } = verify(count, seed, (done) => console.log(`${done} compared`));
      console.log(JSON.stringify(figures));
      for (const line of told) console.log(line);
      return figures.different === 0 ? 0 : 1;
    }
    const text = generatePlan();
    writeFileSync(join(PROJECT, PLAN_FILE), text);
    console.log(`${PLAN_FILE}: ${Buffer.byteLength(text)} bytes, ${gzipSync(text).length} with gzip`);
    return 0;
  });
