/**
 * Taking in an upload: read it, store it as one batch, and only then say so.
 *
 * A batch waits under `waiting/<id>` until a tick merges it: the tick consumes it by committing a manifest that names
 * it, then copies it to `merged/<id>` (kept for ever), then deletes `waiting/<id>`. Without an Idempotency-Key the id
 * is unique. With one, the id is a hash of tenant and key, so all uploads with that key meet at two objects:
 *
 *   1. `waiting/<id>` is only ever created if absent, and only deleted once `merged/<id>` exists.
 *   2. So an id without `merged/<id>` was never consumed, and the first upload to be put is the one that waits.
 *   3. Once `merged/<id>` exists it is the truth. A later put may make a new `waiting/<id>`: a tick that finds both drops
 *      the waiting one unmerged. No such upload may be answered 202 on the strength of its own put.
 */

import { createHash } from 'node:crypto';
import type { Detection } from '../format/attributes.ts';
import {
  BatchBuilder,
  type LineError,
  MAX_NAMED_SOURCES,
  openBatchSteps,
  type Receipt,
  type SourceLines,
} from '../format/batch.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { LineType } from '../phone/parse.ts';
import { batchOwner, KEYED_BATCH, MERGED_PREFIX, WAITING_PREFIX } from '../storage/keys.ts';
import { type ObjectHead, type ObjectStore, StorageUnavailable } from '../storage/store.ts';
import {
  MAX_REPORTED_ERRORS,
  MAX_UPLOAD_KINDS,
  MAX_UPLOAD_SOURCES,
  MAX_UPLOAD_TEXT_BYTES,
  type RawLine,
} from './body.ts';
import { bodyEncoding } from './decode.ts';
import { type Field, isBlank, isField, keptName } from './fields.ts';
import { type DetectionHandlers, parseDetections } from './parse.ts';
import { type Labels, type RejectCode, Rejection, type ValidationContext } from './validate.ts';

export interface Upload {
  readonly body: ReadableStream<Uint8Array>;
  readonly contentType: string | null;
  readonly contentEncoding?: string | null;
  /** As the client sent it; not empty. */
  readonly idempotencyKey?: string;
  /** Keys of different tenants never meet. Contains no line break. */
  readonly tenant: string;
  /** Id of the API key; absent if not known, and then all such uploads count as one key's. */
  readonly key?: string;
}

export interface AcceptDeps {
  readonly objects: ObjectStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** At least 64 random bits as text that may stand in an object key. */
  readonly randomId: () => string;
  readonly labels: Labels;
  /** What reading and writing a batch gives way by; without, it does not. */
  readonly pace: Pacer;
}

export type AcceptResult =
  /** Stored; will be merged exactly once, however often the same upload is repeated with its key. */
  | {
      readonly kind: 'accepted';
      readonly batch: string;
      readonly receipt: Receipt;
      /** The receipt is that of an earlier upload with the key. False where the two cannot be told apart. */
      readonly replayed: boolean;
    }
  /** The key has been used with another body; nothing of this one is, or will be, counted. */
  | { readonly kind: 'conflict' };

interface Batch {
  readonly id: string;
  readonly keyed: boolean;
  /** With this, ticks can take owners in turns without opening the batch. */
  readonly owner: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly receipt: Receipt;
}

/**
 * @throws BodyError if the body cannot be taken: nothing is stored
 * @throws StorageUnavailable if the storage gave no clear answer: the batch may or may not wait; `detail` says whether
 *   trying again is safe
 */
export async function acceptDetections(upload: Upload, deps: AcceptDeps): Promise<AcceptResult> {
  const nowMs = deps.now();
  const { pace } = deps;
  const builder = new BatchBuilder();
  const receipt = await readUpload(upload, { nowMs, labels: deps.labels }, builder, pace);
  const keyed = upload.idempotencyKey !== undefined;
  const id = keyed ? keyedId(upload.tenant, upload.idempotencyKey) : uniqueId(nowMs, deps.randomId());
  // Nothing to keep, and no key under which anyone could ask for the receipt.
  if (!keyed && receipt.accepted === 0) return { kind: 'accepted', batch: id, receipt, replayed: false };
  const owner = batchOwner(upload.tenant, upload.key ?? '');
  const bytes = await pace.run(builder.finishSteps(receipt));
  return store({ id, keyed, owner, bytes, receipt }, { objects: deps.objects, pace });
}

async function readUpload(
  upload: Upload,
  context: ValidationContext,
  builder: BatchBuilder,
  pace: Pacer,
): Promise<Receipt> {
  const encoding = bodyEncoding(upload.contentType, upload.contentEncoding ?? null);
  // Over the decoded body: a client that compresses anew for its retry (gzip carries a time) sends the same upload.
  const hash = createHash('sha256');
  const errors: LineError[] = [];
  const sources = new SourceTally();
  const notes = new UploadNotes();
  const attributes = new UploadAttributes(sources);
  let rejected = 0;
  const reject = (error: LineError) => {
    rejected += 1;
    if (errors.length < MAX_REPORTED_ERRORS) errors.push(error);
  };
  const handlers: DetectionHandlers = {
    onDetection: (detection, line, lineType, raw) => {
      if (builder.add(detection, attributes)) {
        sources.accept(detection.source, lineType);
        notes.accept(raw);
      } else {
        sources.reject(detection.source, attributes.refusal);
        reject({ line, code: attributes.refusal.code, detail: attributes.refusal.detail });
      }
    },
    onReject: (error, source, rejection) => {
      sources.reject(source, rejection);
      reject(error);
    },
    onUnreadable: reject,
    onNames: (names) => notes.names(names),
    onBytes: (bytes) => hash.update(bytes),
  };
  await parseDetections(upload.body, encoding, context, handlers, pace);
  const counts = { accepted: builder.count, rejected, errors, ...notes.finish(), sources: sources.finish() };
  const owner = upload.key === undefined ? {} : { owner: { tenant: upload.tenant, key: upload.key } };
  return { bodySha256: hash.digest('hex'), ...counts, ...owner };
}

/** Sorts by time of arrival. */
function uniqueId(nowMs: number, random: string): string {
  return `${String(nowMs).padStart(13, '0')}-${random}`;
}

function keyedId(tenant: string, idempotencyKey: string): string {
  return `${KEYED_BATCH}${createHash('sha256').update(`${tenant}\n${idempotencyKey}`).digest('hex')}`;
}

/** Where an upload is stored, and how what is there is read. */
interface Storing {
  readonly objects: ObjectStore;
  readonly pace: Pacer;
}

async function store(batch: Batch, storing: Storing): Promise<AcceptResult> {
  const { objects } = storing;
  let written: ObjectHead | null;
  try {
    written = await objects.put(WAITING_PREFIX + batch.id, batch.bytes, { absent: true }, batch.owner);
  } catch (cause) {
    // The batch waits, or it does not, or another upload with this key does: what the store has decides.
    return answerFromStore(batch, storing, { replayed: false, cause });
  }
  if (written === null) {
    // The id is taken: by an upload with this key, or by this very put, tried twice on its way to the storage.
    return answerFromStore(batch, storing, { replayed: batch.keyed });
  }
  if (!batch.keyed) return { kind: 'accepted', batch: batch.id, receipt: batch.receipt, replayed: false };
  // Stored, but perhaps under an id that was consumed long ago (3. above). If we cannot tell, a tick still can: the
  // batch is merged or dropped, rightly either way, and the retry is told which.
  const consumed = await ask(batch, () => objects.head(MERGED_PREFIX + batch.id));
  if (consumed !== null) return answerFromStore(batch, storing, { replayed: true });
  return { kind: 'accepted', batch: batch.id, receipt: batch.receipt, replayed: false };
}

/** Answers from what the store has under the batch's id, whoever put it there. */
async function answerFromStore(
  batch: Batch,
  storing: Storing,
  { replayed, cause }: { readonly replayed: boolean; readonly cause?: unknown },
): Promise<AcceptResult> {
  const found = await ask(batch, () => storedReceipt(batch.id, storing));
  // The put failed for good, or its batch was removed by hand: this upload is not stored.
  if (found === null) throw unavailable(batch, cause);
  if (found.bodySha256 !== batch.receipt.bodySha256) return { kind: 'conflict' };
  return { kind: 'accepted', batch: batch.id, receipt: found, replayed };
}

/**
 * The receipt of the upload that an id belongs to. The order matters: what waits counts only if nothing was merged by
 * the time it had been read; otherwise it may be a later upload, to be dropped.
 */
async function storedReceipt(id: string, { objects, pace }: Storing): Promise<Receipt | null> {
  const waiting = await objects.get(WAITING_PREFIX + id);
  const merged = await objects.get(MERGED_PREFIX + id);
  const stored = merged ?? waiting;
  return stored === null ? null : (await pace.run(openBatchSteps(stored.bytes))).receipt;
}

/** A question to the storage; if it is not answered we cannot promise anything, whatever was stored before. */
async function ask<T>(batch: Batch, question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (cause) {
    throw unavailable(batch, cause);
  }
}

function unavailable(batch: Batch, cause: unknown): StorageUnavailable {
  const retry = batch.keyed
    ? 'send it again with the same Idempotency-Key: it will be counted once'
    : 'sent again without an Idempotency-Key it may be counted twice';
  return new StorageUnavailable(`the storage did not confirm the upload; ${retry}`, cause);
}

// Counts the lines of each source of an upload, for the screening before they are merged.

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

// How many distinct attributes one upload may have. A merge holds each of them as text, several times
// over, where a detection takes 24 bytes: without a bound, an upload of a few megabytes takes more memory than a tick
// has. Lines beyond it are rejected with the reason, to be sent in another upload.

const WIDE = /[^\0-\xff]/;

class UploadAttributes {
  readonly #tally: SourceTally;
  readonly #kinds = new Set<string>();
  #textBytes = 0;
  /** Why the last one was not admitted. */
  refusal = tooMany('nothing');

  constructor(tally: SourceTally) {
    this.#tally = tally;
  }

  /**
   * Called once for each distinct set of attributes, so that repeated ones cost nothing.
   * @param text of the detection's attributes
   */
  admits({ source, link }: Detection, text: string): boolean {
    if (!this.#tally.hasRoomFor(source)) return this.#refuse(`${MAX_UPLOAD_SOURCES} different sources`);
    const kind = link === null ? text : text.replace(link.sha256, '');
    if (!this.#kinds.has(kind) && this.#kinds.size >= MAX_UPLOAD_KINDS) {
      return this.#refuse(`${MAX_UPLOAD_KINDS} combinations of label, channel, industry, project, host and source`);
    }
    const textBytes = text.length * (WIDE.test(text) ? 2 : 1);
    if (this.#textBytes + textBytes > MAX_UPLOAD_TEXT_BYTES) {
      return this.#refuse(`${MAX_UPLOAD_TEXT_BYTES / 2 ** 20} MiB of different attributes`);
    }
    this.#kinds.add(kind);
    this.#textBytes += textBytes;
    return true;
  }

  #refuse(most: string): false {
    this.refusal = tooMany(most);
    return false;
  }
}

function tooMany(most: string): Rejection {
  const detail = `expected at most ${most} in an upload; found more: send the line in another`;
  return new Rejection('too-many-attributes', detail);
}

// Defaulted and ignored fields of an upload, for its receipt, so that its sender learns of them before users are
// blocked.

/** Fields whose default changes what is answered of a number; the receipt counts the lines that got it. */
const DEFAULTED = ['label', 'channel', 'observedAt'] as const satisfies readonly Field[];

/**
 * Names listed in a receipt, each of at most 41 characters. A feed has a few; if there are more, they are not names.
 */
export const MAX_IGNORED_FIELDS = 20;
/** Stands last among the names if there were more. */
export const MORE_IGNORED = '…';
/** Names that have been examined, none longer than any that a feed has. */
const MAX_SEEN = 256;
const MAX_SEEN_CHARS = 64;

type Notes = Required<Pick<Receipt, 'defaulted' | 'ignoredFields'>>;

/** Takes constant time a field of a line, and constant memory. */
export class UploadNotes {
  readonly #defaulted = { label: 0, channel: 0, observedAt: 0 };
  readonly #seen = new Set<string>();
  readonly #ignored = new Set<string>();
  #more = false;

  /** An accepted line, as the body gave it. */
  accept(raw: RawLine): void {
    for (const field of DEFAULTED) if (isBlank(raw[field])) this.#defaulted[field] += 1;
  }

  /** The names of the fields of a line or of a header, accepted or not; those that are none of ours are noted. */
  names(names: Iterable<string>): void {
    for (const name of names) {
      if (isField(name) || this.#more || this.#seen.has(name)) continue;
      const shown = keptName(name);
      if (this.#seen.size < MAX_SEEN && name.length <= MAX_SEEN_CHARS) this.#seen.add(name);
      if (shown === '' || this.#ignored.has(shown)) continue;
      if (this.#ignored.size < MAX_IGNORED_FIELDS) this.#ignored.add(shown);
      else this.#more = true;
    }
  }

  finish(): Notes {
    const names = [...this.#ignored];
    return { defaulted: { ...this.#defaulted }, ignoredFields: this.#more ? [...names, MORE_IGNORED] : names };
  }
}
