/**
 * Activity: which numbers were detected on which day, and how. Kept by the merge beside the runs, since a record only
 * knows its first and last day, and a briefing counts every number that was detected in its period.
 */

import { FormatError, parseJson } from '../lib/bytes.ts';
import { type Attributes, parseAttributes } from './attributes.ts';

/** The attributes of a detection, of its link only the host: few texts even where every number has a link. */
export interface ActivityKey extends Omit<Attributes, 'link'> {
  readonly linkHost: string | null;
}

/** An activity key, and when it was detected over all history. UTC days since 1970. */
export interface KindSpan {
  readonly kind: ActivityKey;
  readonly firstDay: number;
  readonly lastDay: number;
}

/**
 * The activity of one UTC day, as columns: a row for each distinct number, activity key and link detected that day. An
 * aggregated detection has a row on its first day and one on its last.
 */
export interface DayActivity {
  /** UTC day since 1970. */
  readonly day: number;
  readonly rows: number;
  /** Ascending; equal numbers in the order of activity key, then link. */
  readonly numbers: Float64Array;
  /** Seconds since 1970 of the earliest such detection of the day. */
  readonly firstSeenAt: Uint32Array;
  /** Index into the activity keys of where the activity comes from. */
  readonly kind: Uint32Array;
  /** The first 64 bits of the link's SHA-256, as two big-endian halves; both 0: no link. */
  readonly linkHigh: Uint32Array;
  readonly linkLow: Uint32Array;
}

/** The activity of one generation. */
export interface ActivitySource {
  readonly kinds: readonly KindSpan[];
  /**
   * Days from `from` to `to`, both included, ascending, without those that have no activity. Rejects when storage
   * fails.
   */
  days(from: number, to: number): AsyncIterable<DayActivity>;
}

// Activity keys as text: the JSON array [label, channel, industry, project, link host, source] as ECMAScript's
// JSON.stringify writes it, null for what is absent: attributes (attributes.ts) without the hash of the link. The
// UTF-16 code unit order of the texts is the canonical order of kinds.

const KIND_FIELDS = 6;
/**
 * Objects of one store have the same activity keys, tens of thousands where projects and hosts are many: 200 bytes
 * each.
 */
const MAX_KNOWN = 32_768;
const known = new Map<string, KnownKey>();

/** An activity key with its text. */
export interface KnownKey {
  /** One string for all objects that name the key. */
  readonly text: string;
  readonly kind: ActivityKey;
}

export function activityKeyText(kind: ActivityKey): string {
  return JSON.stringify([kind.label, kind.channel, kind.industry, kind.project, kind.linkHost, kind.source]);
}

/** Throws FormatError unless the text is one that `activityKeyText` writes. */
export function parseActivityKey(text: string): ActivityKey {
  return knownKey(text).kind;
}

/** The same, and the text to keep. */
export function knownKey(text: string): KnownKey {
  const before = known.get(text);
  if (before !== undefined) return before;
  const kind = { text, kind: parse(text) };
  if (known.size < MAX_KNOWN) known.set(text, kind);
  return kind;
}

function parse(text: string): ActivityKey {
  const fields = parseJson(text, 'activity key');
  if (!Array.isArray(fields) || fields.length !== KIND_FIELDS) {
    throw new FormatError(`activity key: expected an array of ${KIND_FIELDS} fields`);
  }
  const [label, channel, industry, project, host, source]: unknown[] = fields;
  const sha256 = host === null ? null : '';
  const { link, ...rest } = parseAttributes(JSON.stringify([label, channel, industry, project, host, sha256, source]));
  const kind = { ...rest, linkHost: link?.host ?? null };
  if (activityKeyText(kind) !== text) throw new FormatError('activity key: not in its canonical form');
  return kind;
}

/** What a row of activity keeps of the attributes. */
export interface ActivityParts {
  readonly key: ActivityKey;
  /** The first 64 bits of the link's SHA-256, as two big-endian halves; both 0: no link. */
  readonly linkHigh: number;
  readonly linkLow: number;
}

export function activityPartsOf({ link, ...rest }: Attributes): ActivityParts {
  const half = (from: number) => (link === null ? 0 : Number.parseInt(link.sha256.slice(from, from + 8), 16));
  return { key: { ...rest, linkHost: link?.host ?? null }, linkHigh: half(0), linkLow: half(8) };
}

// Rows of activity of one day as columns that grow, each distinct row once.

const INITIAL_ROWS = 256;

export type ActivityColumns = Omit<DayActivity, 'day'>;

/** Takes rows of activity, days ascending; the rows of a day ascend by number, activity key, link. */
export interface ActivitySink {
  /** @param kind index into activity keys in their canonical order; both halves of the link 0: none */
  add(day: number, number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void;
}

export class GrowingActivity implements ActivityColumns {
  rows = 0;
  numbers = new Float64Array(INITIAL_ROWS);
  firstSeenAt = new Uint32Array(INITIAL_ROWS);
  kind = new Uint32Array(INITIAL_ROWS);
  linkHigh = new Uint32Array(INITIAL_ROWS);
  linkLow = new Uint32Array(INITIAL_ROWS);

  /** Compares with the last row: 0 if the row is the same but for its second, below if it comes after it. */
  compareLast(number: number, kind: number, linkHigh: number, linkLow: number): number {
    const last = this.rows - 1;
    if (last < 0) return -1;
    return (
      (this.numbers[last] as number) - number ||
      (this.kind[last] as number) - kind ||
      (this.linkHigh[last] as number) - linkHigh ||
      (this.linkLow[last] as number) - linkLow
    );
  }

  /** Of a repeated row the earliest second counts. */
  seenAt(firstSeenAt: number): void {
    const last = this.rows - 1;
    if (firstSeenAt < (this.firstSeenAt[last] as number)) this.firstSeenAt[last] = firstSeenAt;
  }

  push(number: number, kind: number, linkHigh: number, linkLow: number, firstSeenAt: number): void {
    const at = this.rows;
    if (at === this.numbers.length) this.reserve(at * 2);
    this.numbers[at] = number;
    this.kind[at] = kind;
    this.linkHigh[at] = linkHigh;
    this.linkLow[at] = linkLow;
    this.firstSeenAt[at] = firstSeenAt;
    this.rows = at + 1;
  }

  /** Room for so many rows, what is there kept. */
  reserve(rows: number): void {
    if (rows <= this.numbers.length) return;
    const numbers = new Float64Array(rows);
    numbers.set(this.numbers);
    this.numbers = numbers;
    for (const column of ['firstSeenAt', 'kind', 'linkHigh', 'linkLow'] as const) {
      const grown = new Uint32Array(rows);
      grown.set(this[column]);
      this[column] = grown;
    }
  }

  /** The rows, as views that are valid until the next change. */
  columns(): ActivityColumns {
    const { rows } = this;
    return {
      rows,
      numbers: this.numbers.subarray(0, rows),
      firstSeenAt: this.firstSeenAt.subarray(0, rows),
      kind: this.kind.subarray(0, rows),
      linkHigh: this.linkHigh.subarray(0, rows),
      linkLow: this.linkLow.subarray(0, rows),
    };
  }
}
