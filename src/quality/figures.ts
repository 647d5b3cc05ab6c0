/** What is counted of a source, by the UTC day its uploads arrived, and the shares that are judged. */
import * as v from 'valibot';
import { addCounts } from '../format/records.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const dayFigures = v.object({
  /** UTC days since 1970, of the tick that merged the upload. */
  day: count,
  /** Lines that named the source, rejected ones included. Not counted, and 0, for uploads older than this count. */
  lines: count,
  /** Detections. */
  accepted: count,
  /** Lines whose number is none, but for the unassigned. */
  invalid: count,
  /** Lines whose number has a possible length and is in no assigned range. */
  unassigned: count,
  /** Detections of numbers that the plan knows to be fixed lines. */
  fixedLine: count,
  /** Numbers, distinct within an upload. */
  numbers: count,
  /** Of those, on record before, by whichever source: at least as many as others had reported. */
  known: count,
});

export type DayFigures = Readonly<v.InferOutput<typeof dayFigures>>;
export type Figures = Omit<DayFigures, 'day'>;

export const NO_FIGURES: Figures = {
  lines: 0,
  accepted: 0,
  invalid: 0,
  unassigned: 0,
  fixedLine: 0,
  numbers: 0,
  known: 0,
};

export function sum(all: Iterable<Figures>): Figures {
  const total = { ...NO_FIGURES };
  for (const one of all) {
    total.lines = addCounts(total.lines, one.lines);
    total.accepted = addCounts(total.accepted, one.accepted);
    total.invalid = addCounts(total.invalid, one.invalid);
    total.unassigned = addCounts(total.unassigned, one.unassigned);
    total.fixedLine = addCounts(total.fixedLine, one.fixedLine);
    total.numbers = addCounts(total.numbers, one.numbers);
    total.known = addCounts(total.known, one.known);
  }
  return total;
}

/** What is left of a sum without one of its parts; 0 at least, since a sum is no less than its parts. */
export function minus(total: Figures, part: Figures): Figures {
  return {
    lines: total.lines - part.lines,
    accepted: total.accepted - part.accepted,
    invalid: total.invalid - part.invalid,
    unassigned: total.unassigned - part.unassigned,
    fixedLine: total.fixedLine - part.fixedLine,
    numbers: total.numbers - part.numbers,
    known: total.known - part.known,
  };
}

/** Fractions of 1; 0 where there is nothing to take a share of. */
export interface Shares {
  readonly invalid: number;
  readonly unassigned: number;
  readonly fixedLine: number;
  /** Of its numbers, on record before. */
  readonly known: number;
}

export function sharesOf({ lines, accepted, invalid, unassigned, fixedLine, numbers, known }: Figures): Shares {
  return {
    invalid: ratio(invalid + unassigned, lines),
    unassigned: ratio(unassigned, lines),
    // Only detections of counted lines can have been counted as fixed lines.
    fixedLine: ratio(fixedLine, Math.min(accepted, lines)),
    known: ratio(known, numbers),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
