/**
 * What a tick writes for the generation that it is about to publish, gathered: small segments, activity, ledgers and
 * the history stay in memory until the publication writes them in one object, with the copy of the manifest
 * (src/format/parcel.ts). Not published, nothing of them was written. What is too much for that is written at once, as
 * an object of its own.
 */
import type { Manifest } from '../format/manifest.ts';
import { encodeParcel, parcelOffsets } from '../format/parcel.ts';
import type { Bytes } from '../lib/bytes.ts';
import { ACTIVITY_PREFIX, LEDGER_PREFIX, SEGMENT_PREFIX } from '../storage/keys.ts';
import { partKey } from '../storage/parts.ts';
import { type ObjectHead, type PutCondition, type StoredObject, StoreInFront } from '../storage/store.ts';

/** A minute's run of up to 32,768 numbers is some 600 KB, with its activity. */
const MOST_BYTES = 2 ** 20;
const PREFIXES = [SEGMENT_PREFIX, ACTIVITY_PREFIX, LEDGER_PREFIX];
/** What a key says of what it is the key of stays said by that of the part. */
const SUFFIX = /-[a-z]+$/;

export class GatheredWrites extends StoreInFront {
  readonly #gathered = new Map<string, StoredObject>();
  #bytes = 0;

  /**
   * The manifest with what it names of what was gathered named as parts of the object under this key, and that object,
   * to be written before the manifest is. null: it names nothing of it.
   * @param encode the manifest as it will be published
   */
  parcel(
    object: string,
    manifest: Manifest,
    encode: (manifest: Manifest) => Bytes,
  ): { readonly manifest: Manifest; readonly bytes: Bytes; readonly copy: Bytes } | null {
    const named = namedKeys(manifest).filter((key) => this.#gathered.has(key));
    if (named.length === 0) return null;
    const parts = named.map((key) => (this.#gathered.get(key) as StoredObject).bytes);
    const { offsets } = parcelOffsets(parts.map(({ length }) => length));
    const keys = new Map(
      named.map((key, i) => {
        const place = { object, offset: offsets[i] as number, length: (parts[i] as Bytes).length };
        return [key, partKey(place, key.startsWith(LEDGER_PREFIX) ? (SUFFIX.exec(key)?.[0] ?? '') : '')];
      }),
    );
    const renamed = withKeys(manifest, (key) => keys.get(key) ?? key);
    const bytes = encode(renamed);
    return { manifest: renamed, bytes, copy: encodeParcel(parts, bytes) };
  }

  override async get(key: string): Promise<StoredObject | null> {
    return this.#gathered.get(key) ?? this.inner.get(key);
  }

  override async getRange(key: string, offset: number, length: number): Promise<Bytes | null> {
    const gathered = this.#gathered.get(key);
    if (gathered === undefined || offset + length > gathered.sizeBytes) {
      return this.inner.getRange(key, offset, length);
    }
    return gathered.bytes.slice(offset, offset + length);
  }

  override async head(key: string): Promise<ObjectHead | null> {
    return this.#gathered.get(key) ?? this.inner.head(key);
  }

  override async put(key: string, bytes: Bytes, condition?: PutCondition, owner?: string): Promise<ObjectHead | null> {
    const isPart = condition === undefined && PREFIXES.some((one) => key.startsWith(one));
    if (!isPart || this.#bytes + bytes.length > MOST_BYTES) return this.inner.put(key, bytes, condition, owner);
    this.#bytes += bytes.length;
    return this.gather(key, bytes);
  }

  /** To be a part, however much has been gathered. */
  gather(key: string, bytes: Bytes): ObjectHead {
    const object = { key, etag: key, sizeBytes: bytes.length, uploadedAt: 0, bytes: bytes.slice() };
    this.#gathered.set(key, object);
    return object;
  }
}

/** Of segments, activity, the ledger and the history, each once. */
function namedKeys({ runs, activity, ledger, history }: Manifest): string[] {
  const segments = runs.flatMap((run) => run.segments.map(({ key }) => key));
  const others = [ledger, history].filter((key) => key !== null);
  const all = [...segments, ...activity.map(({ key }) => key), ...others];
  return [...new Set(all)];
}

function withKeys(manifest: Manifest, renamed: (key: string) => string): Manifest {
  const { runs, activity, ledger, history, missingSlices } = manifest;
  return {
    ...manifest,
    runs: runs.map((run) => ({
      ...run,
      segments: run.segments.map((entry) => ({ ...entry, key: renamed(entry.key) })),
    })),
    activity: activity.map((entry) => ({ ...entry, key: renamed(entry.key) })),
    ledger: ledger === null ? null : renamed(ledger),
    history: history === null ? null : renamed(history),
    missingSlices: missingSlices.map(renamed),
  };
}
