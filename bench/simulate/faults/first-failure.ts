/**
 * Runs seeds from 1 on until one breaks a promise, and says each before it begins: a process of its own for mutate.ts.
 */
import { replacePlatform } from './platform.ts';
import { runSeed } from './run-seed.ts';

const seeds = Number(process.argv[2]);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

replacePlatform();
let invariant: string | undefined;
for (let seed = 1; seed <= seeds && invariant === undefined; seed++) {
  say({ seed });
  invariant = (await runSeed(seed)).violation?.invariant;
  if (invariant !== undefined) say({ seed, invariant });
}
if (invariant === undefined) say({ done: true });
