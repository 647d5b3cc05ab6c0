/** Counts the lines of each source of an upload, for the screening before they are merged. */
import { MAX_NAMED_SOURCES, type SourceLines } from '../format/batch.ts';
import type { LineType } from '../number/parse.ts';
import { MAX_UPLOAD_SOURCES } from './limits.ts';
import type { RejectCode, Rejection } from './rejection.ts';

type Counts = { -readonly [K in keyof Omit<SourceLines, 'source'>]: number };

const NONE: Readonly<Counts> = { lines: 0, accepted: 0, unassigned: 0, invalid: 0, fixedLine: 0 };
const INVALID: RejectCode = 'invalid-number';

/** Counts a line in constant time; holds at most MAX_UPLOAD_SOURCES names, and of no other is a line accepted. */
export class SourceTally {
  readonly #counts = new Map<string | null, Counts>();
  readonly #others: Counts = { ...NONE };

  hasRoomFor(source: string | null): boolean {
    return this.#counts.size < MAX_UPLOAD_SOURCES || this.#counts.has(source);
  }

  accept(source: string | null, lineType: LineType): void {
    const counts = this.#of(source);
    counts.accepted += 1;
    // In plans that do not tell mobiles from fixed lines (NANP) it says nothing.
    if (lineType === 'fixed_line') counts.fixedLine += 1;
  }

  /** Only what is wrong with a number says something of the source; a wrong date or label is a fault of the upload. */
  reject(source: string | null, { code, isUnassigned }: Pick<Rejection, 'code' | 'isUnassigned'>): void {
    const counts = this.#of(source);
    if (code !== INVALID) return;
    if (isUnassigned) counts.unassigned += 1;
    else counts.invalid += 1;
  }

  /** Those with the most lines first; beyond MAX_NAMED_SOURCES one entry for the rest. */
  finish(): SourceLines[] {
    const all = [...this.#counts].map(([source, counts]) => ({ source, ...counts }));
    all.sort((a, b) => b.lines - a.lines);
    const named: SourceLines[] = all.slice(0, MAX_NAMED_SOURCES);
    const rest: Counts[] = all.slice(MAX_NAMED_SOURCES);
    return rest.length === 0 ? named : [...named, rest.reduce(add, this.#others)];
  }

  #of(source: string | null): Counts {
    const counts = this.#counts.get(source) ?? (this.hasRoomFor(source) ? { ...NONE } : this.#others);
    if (counts !== this.#others) this.#counts.set(source, counts);
    counts.lines += 1;
    return counts;
  }
}

function add(a: Counts, b: Counts): Counts {
  return {
    lines: a.lines + b.lines,
    accepted: a.accepted + b.accepted,
    unassigned: a.unassigned + b.unassigned,
    invalid: a.invalid + b.invalid,
    fixedLine: a.fixedLine + b.fixedLine,
  };
}
