/**
 * When each number of a history was seen, read from files as those of `../shared/data`: an inventory (digits, first
 * seen, last seen, sightings) and detections after it (time, digits), tab-separated, gzipped or not.
 */

import { CommandError } from '../../scripts/command/errors.ts';
import { checkInputFile } from '../../scripts/command/paths.ts';
import { dayOf } from '../../src/lib/time.ts';
import { linesOf } from '../support/lines.ts';

interface Seen {
  /** The last time before the detections begin; null: never. UTC days since 1970, as are all days here. */
  lastBefore: number | null;
  /** Distinct days of its detections, ascending. */
  readonly days: number[];
}

export interface History {
  readonly numbers: readonly Seen[];
  /** First and last day of the detections. */
  readonly startDay: number;
  readonly endDay: number;
}

/** A file that is not what it should be; the message names the file and the line, never what stands there. */
export class HistoryError extends CommandError {
  override readonly name = 'HistoryError';
}

export async function readHistory(paths: readonly string[]): Promise<History> {
  const numbers = new Map<string, Seen>();
  const seenOf = (digits: string): Seen => {
    const known = numbers.get(digits);
    if (known !== undefined) return known;
    const seen: Seen = { lastBefore: null, days: [] };
    numbers.set(digits, seen);
    return seen;
  };
  for (const path of paths) {
    for await (const [fields, where] of rows(path)) {
      const [first = '', second = '', third = ''] = fields;
      if (fields.length === 4) seenOf(first).lastBefore = day(third, where);
      else if (fields.length === 2) seenOf(second).days.push(day(first, where));
      else throw new HistoryError(`${where}: expected 2 or 4 columns, found ${fields.length}`);
    }
  }
  return ordered([...numbers.values()]);
}

async function* rows(path: string): AsyncGenerator<[fields: string[], where: string]> {
  checkInputFile(path);
  let line = 0;
  for await (const text of linesOf(path)) {
    line++;
    if (text !== '') yield [text.split('\t'), `${path}, line ${line}`];
  }
}

function day(time: string, where: string): number {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new HistoryError(`${where}: expected an ISO date or time`);
  return dayOf(ms / 1000);
}

function ordered(numbers: readonly Seen[]): History {
  let startDay = Number.POSITIVE_INFINITY;
  let endDay = Number.NEGATIVE_INFINITY;
  for (const { days } of numbers) {
    for (const each of days) {
      startDay = Math.min(startDay, each);
      endDay = Math.max(endDay, each);
    }
  }
  if (endDay < startDay) throw new HistoryError('expected detections, found none');
  if (numbers.some(({ lastBefore }) => lastBefore !== null && lastBefore >= startDay)) {
    throw new HistoryError('expected an inventory of before the first detection, found a later last day');
  }
  const distinct = numbers.map(({ lastBefore, days }) => ({
    lastBefore,
    days: [...new Set(days)].sort((a, b) => a - b),
  }));
  return { numbers: distinct, startDay, endDay };
}
