/** A small history whose blocks are known, in files of the two kinds. Numbers are made up, in ranges of DE mobiles. */

import { type History, HistoryBuilder } from '../../../../bench/evaluate/history.ts';
import { hash32, Random } from '../../../../bench/support/random.ts';
import { isoDay } from '../../../../src/lib/time.ts';

/** 2025-03-01. */
export const START = 20_148;
const MILLION = 4_915_112_000_000;

/** Blocks of 100 are worked through, five numbers a day of each; a third of the numbers come from nowhere. */
export function worldHistory(days: number, seed = 7): History {
  const random = new Random(hash32(seed));
  const builder = new HistoryBuilder();
  for (let day = 0; day < days; day++) {
    const block = MILLION + 100 * (37 + 211 * Math.floor(day / 10));
    for (let i = 0; i < 10; i++) builder.add(String(block + random.below(100)), START + day);
    for (let i = 0; i < 5; i++) builder.add(String(MILLION + random.below(1_000_000)), START + day);
  }
  return builder.build();
}

export function historyOf(entries: readonly (readonly [number: number, day: number])[]): History {
  const builder = new HistoryBuilder();
  for (const [number, day] of entries) builder.add(String(number), day);
  return builder.build();
}

export function inventoryRow(number: number, day: number): string {
  return `${number}\t${isoDay(day)}\t${isoDay(day)}\t1`;
}

export function detectionRow(number: number, day: number): string {
  return `${isoDay(day)}T12:00:00+02:00\t${number}`;
}
