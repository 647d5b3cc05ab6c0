/** The stored objects that the model looks at, read by a few lines of its own (docs/FORMAT.md). */

const HEADER_BYTES = 16;

/** The body of a frame, its header not looked at. */
function bodyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + HEADER_BYTES, bytes.length - HEADER_BYTES);
}

/** A frame around JSON: histories, ledgers, indexes. */
export function readJson(bytes: Uint8Array): unknown {
  return JSON.parse(bodyOf(bytes).toString('utf8'));
}

/** The JSON at the beginning of a manifest. */
export function readManifest(bytes: Uint8Array): ManifestHead {
  return JSON.parse(new Texts(bodyOf(bytes), 0).next()) as ManifestHead;
}

/** What the model needs of it. */
export interface ManifestHead {
  readonly generation: number;
  readonly commit: string;
  readonly parent: string | null;
  readonly publishedAt: number;
  readonly replay: readonly string[];
  readonly setAside: { readonly key: string | null; readonly count: number };
  readonly ledger: string | null;
  /** Of a part of the manifest's copy; null: an object named like the generation has it. */
  readonly history: string | null;
  readonly withdrawals?: { readonly key: string } | null;
  readonly retained: readonly { readonly generation: number }[];
  readonly compaction: unknown;
  readonly runs: readonly { readonly id: string }[];
}

export interface HistoryFile {
  readonly commit: string;
  readonly batches: readonly string[];
  readonly replayed: readonly string[];
  /** Whose held rows were merged, of batches merged before. */
  readonly released?: readonly { readonly batch: string }[];
}

/** The generations up to one of them, oldest first; `parent` is the one before. */
export interface HistoryPage {
  readonly generation: number;
  readonly parent: string | null;
  readonly entries: readonly HistoryFile[];
}

/** One of the objects that list what is set aside: 5,000 batches each, their keys numbered. */
export interface SetAsideFile {
  readonly batches: readonly { readonly id: string; readonly reason: string }[];
}

export const SET_ASIDE_PAGE = 5_000;

/** Which batches were taken back, and of which the inventory may have rows still: of numbers from `from` on. */
export interface WithdrawalsFile {
  readonly withdrawn: readonly { readonly id: string }[];
  readonly pending: readonly { readonly id: string; readonly from: number }[];
}

export interface BatchSetFile {
  readonly batches: readonly { readonly id: string; readonly rows: number }[];
  readonly pages: readonly string[];
}

/** Which source: a name of a tenant, or what one key uploads without a name. */
export interface SourceMembers {
  readonly source: string | null;
  readonly tenant?: string;
  readonly key?: string;
}

export interface LedgerFile {
  readonly cases: readonly (SourceMembers & {
    readonly state: 'quarantined' | 'released';
    readonly reasons: readonly string[];
    readonly held: BatchSetFile;
    readonly due: BatchSetFile;
    readonly dropped: BatchSetFile;
    readonly trust: { readonly until: number; readonly reasons: readonly string[] } | null;
  })[];
  readonly leftOut: readonly {
    readonly batch: string;
    readonly source: string | null;
    readonly numbers: readonly number[];
  }[];
}

interface BatchRow {
  readonly number: number;
  readonly observedAt: number;
  readonly firstSeenAt: number;
}

export interface BatchFile {
  readonly rows: readonly BatchRow[];
  readonly bodySha256: string;
}

/** Rows are in number order, equal numbers in order of arrival. */
export function readBatch(bytes: Uint8Array): BatchFile {
  const body = bodyOf(bytes);
  const count = body.readUInt32LE(0);
  const texts = body.readUInt32LE(4);
  const rows = Array.from({ length: count }, (_, i) => ({
    number: body.readDoubleLE(8 + i * 8),
    observedAt: body.readUInt32LE(8 + count * 8 + i * 4),
    firstSeenAt: body.readUInt32LE(8 + count * 12 + i * 4),
  }));
  const tail = new Texts(body, 8 + count * 24);
  for (let i = 0; i < texts; i++) tail.next();
  const { bodySha256 } = JSON.parse(tail.next()) as { bodySha256: string };
  return { rows, bodySha256 };
}

/** Texts one after the other: the length as a varint, then UTF-8. */
class Texts {
  readonly #body: Buffer;
  #at: number;

  constructor(body: Buffer, at: number) {
    this.#body = body;
    this.#at = at;
  }

  next(): string {
    let length = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#body.readUInt8(this.#at++);
      length += (byte % 128) * factor;
      if (byte < 128) break;
    }
    const text = this.#body.toString('utf8', this.#at, this.#at + length);
    this.#at += length;
    return text;
  }
}

// What a replica's pointer may become: it goes forward, whoever swaps it (docs/REPLICA.md).

interface PointerFile {
  readonly sequence: number;
  readonly generation: number;
  readonly manifest: { readonly sha256: string };
  readonly confirmedAt: number;
  /** Since when the origin has had an older generation. */
  readonly olderSince: number | null;
}

/** An origin that has been older for so long is followed: it was put back from a copy. */
const OLDER_FOR_MS = 15 * 60_000;

export function checkPointers(
  before: Uint8Array,
  after: Uint8Array,
  onBroken: (invariant: string, detail: string) => void,
): void {
  const [then, now] = [readJson(before) as PointerFile, readJson(after) as PointerFile];
  const isOther = then.manifest.sha256 !== now.manifest.sha256;
  if (now.sequence < then.sequence || (isOther && now.sequence === then.sequence)) {
    onBroken('a replica goes forward', `sequence ${now.sequence} came after ${then.sequence}`);
  }
  const hasWaited = then.olderSince !== null && now.confirmedAt - then.olderSince >= OLDER_FOR_MS;
  if (now.generation < then.generation && !hasWaited) {
    onBroken('a replica goes forward', `generation ${now.generation} came after ${then.generation}`);
  }
}
