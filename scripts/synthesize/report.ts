/** What `--report` prints: how the synthetic numbers cluster, beside the real history. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseNumber } from '../../src/number/parse.ts';
import { CaptureWalk } from './captures.ts';
import { planFortnight } from './fortnight.ts';
import { InventoryWalk } from './inventory.ts';
import { type Layout, planInventory } from './layout.ts';
import { knownNeighbours, measureClustering, shareOfRuns } from './measure.ts';
import { mobileRanges } from './ranges.ts';
import type { SynthesisOptions } from './synthesis-options.ts';

const HISTORY = resolve(import.meta.dirname, '../../../shared/data/inventory-2025-02-28.tsv.gz');
const DAY_SECONDS = 86_400;
/** How many known neighbours the real figure (22 %, below) was counted with. */
const LEAST_KNOWN = 3;

/** The valid numbers of the real history, ascending; null if it is not there. */
export function realNumbers(): Float64Array | null {
  if (!existsSync(HISTORY)) return null;
  const numbers = new Set<number>();
  for (const line of gunzipSync(readFileSync(HISTORY)).toString('utf8').split('\n')) {
    const parsed = parseNumber(line.slice(0, Math.max(0, line.indexOf('\t'))));
    if (parsed.ok) numbers.add(parsed.value.number);
  }
  return Float64Array.from(numbers).sort();
}

/** The numbers of a synthetic inventory, ascending. */
export function syntheticNumbers(layout: Layout, count: number): Float64Array {
  const numbers = new Float64Array(count);
  const walk = new InventoryWalk(layout);
  for (let i = 0; walk.next(); i++) numbers[i] = walk.number;
  return numbers.sort();
}

export function reportText(options: SynthesisOptions): string {
  const real = realNumbers();
  const layout = planInventory(options, mobileRanges());
  const synthetic = syntheticNumbers(layout, options.numbers);
  const realShares = real === null ? null : measureClustering(real);
  const lines =
    real === null
      ? [`The real history is not there (${HISTORY}): synthetic figures only.`]
      : [`real: ${real.length} numbers of 2025-02-28`];
  lines.push(
    `synthetic: ${synthetic.length} numbers, seed ${options.seed}`,
    '',
    row('share of numbers with', 'real', 'synthetic'),
  );
  for (const [i, { blockNumbers, atLeast }] of measureClustering(synthetic).entries()) {
    for (const least of [1, 3, 10] as const) {
      const what = `${least}+ others of their ${blockNumbers}-block`;
      lines.push(row(what, percent(realShares?.[i]?.atLeast[least]), percent(atLeast[least])));
    }
  }
  lines.push(
    row(
      'the next number listed too',
      percent(real === null ? undefined : shareOfRuns(real)),
      percent(shareOfRuns(synthetic)),
    ),
  );
  lines.push('', `of ${options.firstTime} first-time numbers, with ${LEAST_KNOWN}+ listed in their hundred-block`);
  const { before, dayBefore } = firstTimeNeighbours(layout, options, synthetic);
  lines.push(row('before the fortnight', '', percent(before)), row('the day before', '22 %', percent(dayBefore)));
  return `${lines.join('\n')}\n`;
}

function firstTimeNeighbours(layout: Layout, options: SynthesisOptions, inventory: Float64Array) {
  const fortnight = planFortnight(layout, options);
  const firstTime = new Set(fortnight.numbers.subarray(fortnight.recaptured));
  const rows: { number: number; day: number }[] = [];
  for (const walk = new CaptureWalk(fortnight, options.seed); walk.next(); ) {
    if (firstTime.has(walk.number)) rows.push({ number: walk.number, day: Math.floor(walk.seconds / DAY_SECONDS) });
  }
  return knownNeighbours(inventory, rows, LEAST_KNOWN);
}

function row(what: string, real: string, synthetic: string): string {
  return `  ${what.padEnd(36)}${real.padStart(10)}${synthetic.padStart(11)}`;
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : `${(share * 100).toFixed(2)} %`;
}
