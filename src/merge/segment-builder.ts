/**
 * Collects records in number order and cuts them into segments. Where to cut depends on the records alone, from the
 * last cut on: whole ten-thousand-blocks are taken while they fit. So the same records give the same segments, in
 * one go or resumed at any cut.
 */

import { type Attributes, parseKind } from '../format/attributes.ts';
import { EVIDENCE_ENTRIES } from '../format/evidence.ts';
import { addCounts, type Profile, profileText, type RecordColumns, unionProfile } from '../format/records.ts';
import { blockStart } from '../format/segment.ts';
import { crc32 } from '../lib/crc32.ts';
import { TextTable } from '../lib/text-table.ts';
import { dayOf } from '../lib/time.ts';

/** Where a cursor puts a record: one verdict and its entries. Several records of one number are folded into one. */
export interface RecordSink {
  /** Days are UTC days since 1970, profile an id of the merge's dictionary. */
  verdict(firstDay: number, lastDay: number, sightings: number, profile: number): void;
  /** Times are seconds since 1970, attributes an id of the merge's dictionary. */
  entry(attributes: number, firstSeenAt: number, lastSeenAt: number, sightings: number): void;
}

/**
 * Records of a segment. The format allows more (SEGMENT_NUMBERS); a lookup reads the numbers of a whole segment
 * of each run (docs/decisions/0034).
 */
export const SEGMENT_RECORDS = 24_576;

export class SegmentBuilder implements RecordSink {
  readonly #dictionary: MergeDictionary;
  readonly #limit: number;
  readonly #numbers: Float64Array;
  readonly #firstDay: Uint32Array;
  readonly #lastDay: Uint32Array;
  readonly #sightings: Float64Array;
  readonly #profile: Uint32Array;
  readonly #entryEnd: Uint32Array;
  #entryAttributes: Uint32Array<ArrayBuffer>;
  #entryFirst: Uint32Array<ArrayBuffer>;
  #entryLast: Uint32Array<ArrayBuffer>;
  #entrySightings: Float64Array;
  #count = 0;
  #entries = 0;
  /** Index of the first record of the present ten-thousand-block. */
  #blockStart = 0;
  #current = -1;

  /**
   * @param limit records of a segment; more than any ten-thousand-block has, so that what a cut leaves over is not full
   */
  constructor(dictionary: MergeDictionary, limit = SEGMENT_RECORDS) {
    this.#dictionary = dictionary;
    this.#limit = limit;
    // One record more than fits shows that the last ten-thousand-block does not.
    const capacity = limit + 1;
    this.#numbers = new Float64Array(capacity);
    this.#firstDay = new Uint32Array(capacity);
    this.#lastDay = new Uint32Array(capacity);
    this.#sightings = new Float64Array(capacity);
    this.#profile = new Uint32Array(capacity);
    this.#entryEnd = new Uint32Array(capacity);
    this.#entryAttributes = new Uint32Array(capacity);
    this.#entryFirst = new Uint32Array(capacity);
    this.#entryLast = new Uint32Array(capacity);
    this.#entrySightings = new Float64Array(capacity);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Where the ten-thousand-block of the first record begins: a builder that starts there cuts the same. */
  get boundary(): number {
    return blockStart(this.#numbers[0] as number);
  }

  /** Begins the record of a number larger than all before. Returns true when a segment must be taken first. */
  begin(number: number): boolean {
    if (this.#count > this.#limit) return true;
    if (this.#count > 0 && blockStart(number) !== blockStart(this.#numbers[this.#count - 1] as number)) {
      if (this.#count === this.#limit) return true;
      this.#blockStart = this.#count;
    }
    this.#current = this.#count;
    this.#numbers[this.#current] = number;
    this.#firstDay[this.#current] = 0xffffffff;
    this.#lastDay[this.#current] = 0;
    this.#sightings[this.#current] = 0;
    this.#entryEnd[this.#current] = this.#entries;
    this.#count += 1;
    return false;
  }

  verdict(firstDay: number, lastDay: number, sightings: number, profile: number): void {
    const i = this.#current;
    const isFirst = this.#sightings[i] === 0;
    this.#firstDay[i] = Math.min(this.#firstDay[i] as number, firstDay);
    this.#lastDay[i] = Math.max(this.#lastDay[i] as number, lastDay);
    this.#sightings[i] = addCounts(this.#sightings[i] as number, sightings);
    this.#profile[i] = isFirst ? profile : this.#dictionary.union(this.#profile[i] as number, profile);
  }

  entry(attributes: number, firstSeenAt: number, lastSeenAt: number, sightings: number): void {
    const start = this.#current === 0 ? 0 : (this.#entryEnd[this.#current - 1] as number);
    // Entries of a number are kept in canonical order: find this one's place from the end.
    let at = this.#entries;
    while (at > start) {
      const order = this.#compareEntry(at - 1, attributes, firstSeenAt, lastSeenAt);
      if (order === 0) {
        this.#foldEntry(at - 1, firstSeenAt, lastSeenAt, sightings);
        return;
      }
      if (order < 0) break;
      at -= 1;
    }
    if (at - start >= EVIDENCE_ENTRIES) return;
    if (this.#entries - start < EVIDENCE_ENTRIES) this.#entries += 1;
    if (this.#entries > this.#entryFirst.length) this.#growEntries();
    const end = this.#entries;
    if (at + 1 < end) this.#makeRoom(at, end);
    this.#entryAttributes[at] = attributes;
    this.#entryFirst[at] = firstSeenAt;
    this.#entryLast[at] = lastSeenAt;
    this.#entrySightings[at] = sightings;
    this.#entryEnd[this.#current] = end;
  }

  /** The order of the entry at an index against one of these attributes and times. */
  #compareEntry(at: number, attributes: number, firstSeenAt: number, lastSeenAt: number): number {
    return (
      this.#dictionary.compare(this.#entryAttributes[at] as number, attributes) ||
      dayOf(this.#entryFirst[at] as number) - dayOf(firstSeenAt) ||
      dayOf(this.#entryLast[at] as number) - dayOf(lastSeenAt)
    );
  }

  #makeRoom(at: number, end: number): void {
    for (const column of [this.#entryAttributes, this.#entryFirst, this.#entryLast, this.#entrySightings]) {
      column.copyWithin(at + 1, at, end - 1);
    }
  }

  #foldEntry(at: number, firstSeenAt: number, lastSeenAt: number, sightings: number): void {
    this.#entryFirst[at] = Math.min(this.#entryFirst[at] as number, firstSeenAt);
    this.#entryLast[at] = Math.max(this.#entryLast[at] as number, lastSeenAt);
    this.#entrySightings[at] = addCounts(this.#entrySightings[at] as number, sightings);
  }

  #growEntries(): void {
    this.#entryAttributes = doubled(this.#entryAttributes);
    this.#entryFirst = doubled(this.#entryFirst);
    this.#entryLast = doubled(this.#entryLast);
    const sightings = new Float64Array(this.#entrySightings.length * 2);
    sightings.set(this.#entrySightings);
    this.#entrySightings = sightings;
  }

  /** The records of the next segment, as views that are valid until `drop` or `begin`. */
  peek(): RecordColumns {
    return this.#columns(this.#cut);
  }

  get #cut(): number {
    return this.#count <= this.#limit ? this.#count : this.#blockStart;
  }

  /** Forgets the records of the next segment and keeps the rest. */
  drop(): void {
    const cut = this.#cut;
    const entryCut = cut === 0 ? 0 : (this.#entryEnd[cut - 1] as number);
    for (const column of [this.#numbers, this.#firstDay, this.#lastDay, this.#sightings, this.#profile]) {
      column.copyWithin(0, cut, this.#count);
    }
    for (const column of [this.#entryAttributes, this.#entryFirst, this.#entryLast, this.#entrySightings]) {
      column.copyWithin(0, entryCut, this.#entries);
    }
    for (let i = cut; i < this.#count; i++) this.#entryEnd[i - cut] = (this.#entryEnd[i] as number) - entryCut;
    this.#count -= cut;
    this.#entries -= entryCut;
    this.#current = this.#count - 1;
    this.#blockStart = 0;
  }

  #columns(count: number): RecordColumns {
    const entries = count === 0 ? 0 : (this.#entryEnd[count - 1] as number);
    return {
      numbers: this.#numbers.subarray(0, count),
      firstDay: this.#firstDay.subarray(0, count),
      lastDay: this.#lastDay.subarray(0, count),
      sightings: this.#sightings.subarray(0, count),
      profile: this.#profile.subarray(0, count),
      profiles: this.#dictionary.profiles,
      entryEnd: this.#entryEnd.subarray(0, count),
      entries: {
        attributesIndex: this.#entryAttributes.subarray(0, entries),
        firstSeenAt: this.#entryFirst.subarray(0, entries),
        lastSeenAt: this.#entryLast.subarray(0, entries),
        sightings: this.#entrySightings.subarray(0, entries),
      },
      attributes: this.#dictionary.attributes,
    };
  }
}

function doubled(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(column.length * 2);
  grown.set(column);
  return grown;
}

// What a merge knows of attributes and profiles: each distinct one once, as a small integer.

export class MergeDictionary {
  /** Texts of attributes. */
  readonly attributes = new TextTable();
  /** By attributes id, once asked for: its profile id, and its place in the canonical order. */
  readonly #profileOf: (number | undefined)[] = [];
  readonly #order: (number | undefined)[] = [];
  readonly #profiles: Profile[] = [];
  readonly #profileIds = new Map<string, number>();
  readonly #unions = new Map<number, number>();

  /** How many attributes it holds. */
  get size(): number {
    return this.attributes.size;
  }

  /** The profile of a record with only these attributes. */
  profileOf(attributesId: number): number {
    const known = this.#profileOf[attributesId];
    if (known !== undefined) return known;
    const id = this.singleProfile(parseKind(this.attributes.text(attributesId)));
    this.#profileOf[attributesId] = id;
    return id;
  }

  /** The same, of attributes that are parsed already. */
  singleProfile({ label, channel, industry }: Pick<Attributes, 'label' | 'channel' | 'industry'>): number {
    return this.profileId({
      labels: [label],
      channels: [channel],
      industries: industry === null ? [] : [industry],
    });
  }

  /**
   * Canonical order of a number's evidence: by CRC-32 of the text, then by text. A hash order makes "the first 1,024"
   * a fair sample that comes out the same however the entries were merged.
   */
  compare(a: number, b: number): number {
    if (a === b) return 0;
    const difference = this.#orderOf(a) - this.#orderOf(b);
    if (difference !== 0) return difference;
    return this.attributes.compare(a, b);
  }

  #orderOf(id: number): number {
    const known = this.#order[id];
    if (known !== undefined) return known;
    const order = crc32(this.attributes.bytes(id));
    this.#order[id] = order;
    return order;
  }

  /** By id. */
  get profiles(): readonly Profile[] {
    return this.#profiles;
  }

  union(a: number, b: number): number {
    if (a === b) return a;
    // Profile ids stay far below 2^26: a key of both is an exact integer.
    const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b);
    const known = this.#unions.get(key);
    if (known !== undefined) return known;
    const id = this.profileId(unionProfile(this.#profiles[a] as Profile, this.#profiles[b] as Profile));
    this.#unions.set(key, id);
    return id;
  }

  profileId(profile: Profile): number {
    const text = profileText(profile);
    const known = this.#profileIds.get(text);
    if (known !== undefined) return known;
    const id = this.#profiles.length;
    this.#profiles.push(profile);
    this.#profileIds.set(text, id);
    return id;
  }
}
