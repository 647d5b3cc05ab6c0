/** What `--report` prints: how the synthetic numbers cluster, beside the real history. */

import { existsSync } from 'node:fs';
import { lowerBound } from '../../src/lib/sorted.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { INVENTORY, rowsOf } from '../support/shared-data.ts';
import { CaptureWalk, planFortnight } from './fortnight.ts';
import { InventoryWalk } from './inventory.ts';
import { type Layout, planInventory, type SynthesisOptions } from './layout.ts';
import { mobileRanges } from './number-ranges.ts';

// How numbers cluster: the figures that a synthetic inventory is fitted by.

/** Of the numbers, the share with at least so many OTHER listed numbers in their block. */
interface BlockShares {
  readonly blockNumbers: number;
  readonly atLeast: Readonly<Record<1 | 3 | 10, number>>;
}

const BLOCKS: readonly number[] = [100, 1000];

/** @param numbers ascending, none twice */
export function measureClustering(numbers: Float64Array): BlockShares[] {
  return BLOCKS.map((blockNumbers) => {
    const counts = { 1: 0, 3: 0, 10: 0 };
    for (let start = 0; start < numbers.length; ) {
      const size = blockEnd(numbers, start, blockNumbers) - start;
      if (size > 1) counts[1] += size;
      if (size > 3) counts[3] += size;
      if (size > 10) counts[10] += size;
      start += size;
    }
    const share = (count: number): number => (numbers.length === 0 ? 0 : count / numbers.length);
    return { blockNumbers, atLeast: { 1: share(counts[1]), 3: share(counts[3]), 10: share(counts[10]) } };
  });
}

/** Where the block of the number at `start` ends. */
function blockEnd(numbers: Float64Array, start: number, blockNumbers: number): number {
  const first = numbers[start] ?? 0;
  const next = first - (first % blockNumbers) + blockNumbers;
  let end = start + 1;
  while (end < numbers.length && (numbers[end] ?? 0) < next) end++;
  return end;
}

/** Gaps of 1 between neighbours, as a share of the numbers: how much of a block comes in runs. */
function shareOfRuns(numbers: Float64Array): number {
  let runs = 0;
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] ?? 0) - (numbers[i - 1] ?? 0) === 1) runs++;
  return numbers.length === 0 ? 0 : runs / numbers.length;
}

/**
 * Of first-time numbers, the share with at least `least` numbers of their hundred-block listed before the day they were
 * first seen: from the inventory alone, and with the first-time numbers of earlier days.
 * @param inventory ascending
 * @param firstTime in order of time
 */
export function knownNeighbours(
  inventory: Float64Array,
  firstTime: readonly { readonly number: number; readonly day: number }[],
  least: number,
): { readonly before: number; readonly dayBefore: number } {
  const later = new Map<number, number>();
  let waiting: number[] = [];
  let [today, before, dayBefore] = [-1, 0, 0];
  for (const { number, day } of firstTime) {
    if (day !== today) {
      for (const block of waiting) later.set(block, (later.get(block) ?? 0) + 1);
      [today, waiting] = [day, []];
    }
    const block = number - (number % 100);
    const known = lowerBound(inventory, block + 100) - lowerBound(inventory, block);
    if (known >= least) before++;
    if (known + (later.get(block) ?? 0) >= least) dayBefore++;
    waiting.push(block);
  }
  const total = Math.max(1, firstTime.length);
  return { before: before / total, dayBefore: dayBefore / total };
}

const DAY_SECONDS = 86_400;
/** How many known neighbours the real figure (22 %, below) was counted with. */
const LEAST_KNOWN = 3;

/** The valid numbers of the real history, ascending; null if it is not there. */
export function realNumbers(): Float64Array | null {
  if (!existsSync(INVENTORY)) return null;
  const numbers = rowsOf(INVENTORY).map(([digits = '']) => parseNumber(digits));
  return Float64Array.from(new Set(numbers.flatMap((parsed) => (parsed.ok ? [parsed.value.number] : [])))).sort();
}

/** The numbers of a synthetic inventory, ascending. */
function syntheticNumbers(layout: Layout, count: number): Float64Array {
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
      ? [`The real history is not there (${INVENTORY}): synthetic figures only.`]
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
