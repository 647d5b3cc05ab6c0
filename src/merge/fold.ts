/**
 * The fold: records from any number of cursors, in number order, one record a number. First seen is the earliest,
 * last seen the latest, sightings add up, profiles and evidence unite: every part of it commutes and associates, so
 * neither the order of detections nor their division into batches and runs can show in the result.
 */

import type { ActivityKey } from '../format/activity.ts';
import type { Batch } from '../format/batch.ts';
import { EVIDENCE_BLOCK_NUMBERS, EvidenceBlock } from '../format/evidence.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import { blockStart, columnWork, type EncodedSegment, encodeSegment, type OpenSegment } from '../format/segment.ts';
import type { VerdictColumns } from '../format/verdicts.ts';
import type { Digest } from '../lib/bytes.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { SourceHeap } from '../lib/sorted.ts';
import { dayOf } from '../lib/time.ts';
import { type MergeDictionary, type RecordSink, SegmentBuilder } from './segment-builder.ts';

interface FoldedSegment {
  readonly segment: EncodedSegment;
  /** Where a later fold of the same sources goes on, or null after the last segment. */
  readonly resumeFrom: number | null;
}

/**
 * Folds the cursors and yields segments as they fill.
 * @param digest SHA-256 in hex
 */
export async function* fold(
  cursors: readonly RecordCursor[],
  dictionary: MergeDictionary,
  pace: Pacer,
  segmentRecords?: number,
  digest?: Digest,
): AsyncGenerator<FoldedSegment> {
  const builder = new SegmentBuilder(dictionary, segmentRecords);
  for (const cursor of cursors) await cursor.load(pace);
  const heap = new SourceHeap(Float64Array.from(cursors, ({ number }) => number));
  let previous = -1;
  for (let index = heap.first; index >= 0; index = heap.first) {
    const cursor = cursors[index] as RecordCursor;
    if (cursor.number !== previous) {
      if (cursor.number < previous) throw new RangeError('a source of the fold is not in number order');
      previous = cursor.number;
      if (builder.begin(previous)) {
        const segment = await encodeSegment(builder.peek(), pace, digest);
        builder.drop();
        yield { segment, resumeFrom: builder.isEmpty ? blockStart(previous) : builder.boundary };
        builder.begin(previous);
      }
    }
    const entries = cursor.emit(builder);
    if (!cursor.advance()) await cursor.load(pace);
    heap.advance(cursor.number);
    // The heap and the builder are this fold's own, and whole: nobody else can have changed them meanwhile.
    if (pace.count(entries)) await pace.giveWay();
  }
  while (!builder.isEmpty) {
    const segment = await encodeSegment(builder.peek(), pace, digest);
    builder.drop();
    yield { segment, resumeFrom: builder.isEmpty ? null : builder.boundary };
  }
}

// Sources of records in number order. Batches and runs look the same to the fold: a batch row is a record of one
// sighting (or of an aggregate), and a number may come several times in a row.

export interface RecordCursor {
  /** The number the cursor stands on; infinity at the end. */
  readonly number: number;
  /** Adds the present record to the sink. Returns how many entries of evidence it has, at least one. */
  emit(sink: RecordSink): number;
  /** To the next record. Returns false when more must be loaded first. */
  advance(): boolean;
  /** Loads what comes next, or moves to the end. Called before first use and whenever `advance` returns false. */
  load(pace: Pacer): Promise<void>;
}

/** What a text that a merge has not met costs, as against a record. */
const TEXT_WORK = 0.5;

export class BatchCursor implements RecordCursor {
  number = Number.POSITIVE_INFINITY;
  readonly #batch: Batch;
  /** The merge's ids of the batch's attributes. */
  readonly #attributes: Uint32Array;
  /** Of each of them, the merge's id of the profile that it makes. */
  readonly #profiles: Uint32Array;
  readonly #dictionary: MergeDictionary;
  #row = 0;

  constructor(batch: Batch, dictionary: MergeDictionary) {
    this.#batch = batch;
    this.#dictionary = dictionary;
    this.#attributes = new Uint32Array(batch.attributes.length);
    this.#profiles = new Uint32Array(batch.attributes.length);
  }

  async load(pace: Pacer): Promise<void> {
    const { attributes, keys } = this.#batch;
    // Those with a link share their key; of the others each has its own.
    const profiles = new Map<ActivityKey, number>();
    for (const [i, key] of keys.entries()) {
      this.#attributes[i] = this.#dictionary.attributes.idOf(attributes[i] as string);
      const profile = profiles.get(key) ?? this.#dictionary.singleProfile(key);
      if (key.linkHost !== null) profiles.set(key, profile);
      this.#profiles[i] = profile;
      if (pace.count(TEXT_WORK)) await pace.giveWay();
    }
    this.#read();
  }

  advance(): boolean {
    this.#row += 1;
    this.#read();
    return true;
  }

  #read(): void {
    this.number = this.#row < this.#batch.rows ? (this.#batch.numbers[this.#row] as number) : Number.POSITIVE_INFINITY;
  }

  emit(sink: RecordSink): number {
    const row = this.#row;
    const firstSeenAt = this.#batch.firstSeenAt[row] as number;
    const observedAt = this.#batch.observedAt[row] as number;
    const sightings = this.#batch.sightings[row] as number;
    const local = this.#batch.attributesIndex[row] as number;
    const attributes = this.#attributes[local] as number;
    sink.verdict(dayOf(firstSeenAt), dayOf(observedAt), sightings, this.#profiles[local] as number);
    sink.entry(attributes, firstSeenAt, observedAt, sightings);
    return 1;
  }
}

const NONE = new Float64Array();
const NO_VERDICTS: VerdictColumns = { profileId: NONE, firstDay: NONE, listedDays: NONE, sightings: NONE };

/** A run from a number on, one segment in memory at a time. */
export class RunCursor implements RecordCursor {
  number = Number.POSITIVE_INFINITY;
  readonly #segments: readonly SegmentEntry[];
  readonly #open: (entry: SegmentEntry, pace: Pacer) => Promise<OpenSegment>;
  readonly #dictionary: MergeDictionary;
  readonly #from: number;
  #next = 0;
  #segment: OpenSegment | undefined;
  #numbers = new Float64Array();
  #verdicts: VerdictColumns = NO_VERDICTS;
  #profiles = new Map<number, number>();
  #rank = 0;
  #block = -1;
  readonly #evidence = new EvidenceBlock();
  /** The merge's ids of the segment's shared attributes, -1 until one is met, and of the block's own. */
  #shared = new Int32Array();
  #own = new Int32Array(EVIDENCE_BLOCK_NUMBERS);

  constructor(
    segments: readonly SegmentEntry[],
    from: number,
    open: (entry: SegmentEntry, pace: Pacer) => Promise<OpenSegment>,
    dictionary: MergeDictionary,
  ) {
    this.#segments = segments.filter((entry) => entry.last >= from);
    this.#from = from;
    this.#open = open;
    this.#dictionary = dictionary;
  }

  async load(pace: Pacer): Promise<void> {
    const entry = this.#segments[this.#next++];
    this.#block = -1;
    if (entry === undefined) {
      this.#segment = undefined;
      this.number = Number.POSITIVE_INFINITY;
      return;
    }
    const segment = await this.#open(entry, pace);
    this.#segment = segment;
    this.#verdicts = segment.verdicts.all();
    if (pace.count(columnWork(segment.shape.count))) await pace.giveWay();
    this.#numbers = new Float64Array(segment.numbers.count);
    segment.numbers.copyRange(0, segment.numbers.count, this.#numbers);
    this.#profiles = new Map();
    this.#shared = new Int32Array(segment.evidence.texts).fill(-1);
    this.#rank = segment.numbers.rank(this.#from);
    this.number = this.#numbers[this.#rank] as number;
  }

  advance(): boolean {
    this.#rank += 1;
    if (this.#rank >= this.#numbers.length) return false;
    this.number = this.#numbers[this.#rank] as number;
    return true;
  }

  emit(sink: RecordSink): number {
    const segment = this.#segment;
    if (segment === undefined) throw new RangeError('a run cursor at its end has no record');
    const rank = this.#rank;
    const { profileId, firstDay, listedDays, sightings: seen } = this.#verdicts;
    const profile = this.#profileId(profileId[rank] as number, segment);
    const day = firstDay[rank] as number;
    sink.verdict(day, day + (listedDays[rank] as number), seen[rank] as number, profile);
    const block = Math.floor(rank / EVIDENCE_BLOCK_NUMBERS);
    if (block !== this.#block) {
      segment.readEvidence(block, this.#evidence);
      this.#numberOwn();
      this.#block = block;
    }
    const { entryEnd, attributesIndex, firstSeenAt, lastSeenAt, sightings } = this.#evidence;
    const at = rank % EVIDENCE_BLOCK_NUMBERS;
    const end = entryEnd[at] as number;
    const start = at === 0 ? 0 : (entryEnd[at - 1] as number);
    for (let e = start; e < end; e++) {
      const attributes = this.#attributesId(attributesIndex[e] as number, segment);
      sink.entry(attributes, firstSeenAt[e] as number, lastSeenAt[e] as number, sightings[e] as number);
    }
    return Math.max(1, end - start);
  }

  #numberOwn(): void {
    const { own } = this.#evidence;
    if (own > this.#own.length) this.#own = new Int32Array(own * 2);
    for (let i = 0; i < own; i++) this.#own[i] = this.#evidence.ownId(i, this.#dictionary.attributes);
  }

  /** The merge's id of attributes as the present block numbers them. */
  #attributesId(local: number, { evidence }: OpenSegment): number {
    const shared = local - this.#evidence.own;
    if (shared < 0) return this.#own[local] as number;
    const known = this.#shared[shared] as number;
    if (known >= 0) return known;
    const id = this.#dictionary.attributes.idOfBytes(evidence.textBytes(shared));
    this.#shared[shared] = id;
    return id;
  }

  /** The merge's id of a segment's profile. */
  #profileId(local: number, segment: OpenSegment): number {
    const known = this.#profiles.get(local);
    if (known !== undefined) return known;
    const id = this.#dictionary.profileId(segment.verdicts.profile(local));
    this.#profiles.set(local, id);
    return id;
  }
}

/** The records of a run but those of some numbers. */
export class WithoutNumbers implements RecordCursor {
  readonly #run: RunCursor;
  readonly #numbers: Float64Array;
  /** Of the first number that is not below the run's. */
  #at = 0;

  /** @param numbers ascending */
  constructor(run: RunCursor, numbers: Float64Array) {
    this.#run = run;
    this.#numbers = numbers;
  }

  get number(): number {
    return this.#run.number;
  }

  emit(sink: RecordSink): number {
    return this.#run.emit(sink);
  }

  advance(): boolean {
    return this.#run.advance() && this.#pass();
  }

  async load(pace: Pacer): Promise<void> {
    do await this.#run.load(pace);
    while (!this.#pass());
  }

  /** Passes over numbers that are left out. Returns false when more must be loaded first. */
  #pass(): boolean {
    for (;;) {
      const { number } = this.#run;
      while (this.#at < this.#numbers.length && (this.#numbers[this.#at] as number) < number) this.#at += 1;
      // At its end a run stands on infinity, which is none of the numbers.
      if (this.#numbers[this.#at] !== number) return true;
      if (!this.#run.advance()) return false;
    }
  }
}
