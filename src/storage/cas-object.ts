/**
 * A compare-and-swap object: small, changed by several writers, each of which reads, edits and puts it conditionally.
 */
import type { FramedJson } from '../lib/frame.ts';
import type { Nearby, Version } from '../lib/swr-cache.ts';
import { nearbyOf, type ObjectStore, type StoredObject } from './store.ts';

/** Such objects are changed by people, a few times a day: five concurrent writers do not happen. */
const ATTEMPTS = 5;
/**
 * R2 accepts one write a second of one key, so retries are spread over the following seconds: up to 0.5, 1, 2, 4 s, and
 * at least half of that, since otherwise all of them may fall within the same second.
 */
const BASE_DELAY_MS = 500;

export interface CasObjectDeps {
  readonly objects: ObjectStore;
  /** Cryptographically random; the retry delay needs it too. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Called with each failure of storage: callers learn only that it did not answer. */
  readonly report: (error: unknown) => void;
}

export interface CasObjectKind<T> {
  readonly key: string;
  readonly codec: FramedJson<T>;
  /** The value as long as there is no object. */
  readonly empty: T;
}

/** Rejects if the storage does not answer, or with FormatError if the object is damaged. */
async function readObject<T>(objects: ObjectStore, kind: CasObjectKind<T>): Promise<Version<T>> {
  return opened(kind, await objects.get(kind.key));
}

/** Like `readObject`, but 'unchanged' if the object still has this etag. */
export async function readObjectIfChanged<T>(
  objects: ObjectStore,
  kind: CasObjectKind<T>,
  etag: string | null,
): Promise<Version<T> | 'unchanged'> {
  if (etag === null) return readObject(objects, kind);
  const object = await objects.getIfChanged(kind.key, etag);
  return object === 'unchanged' ? object : opened(kind, object);
}

/** What is near of it, for SwrCache; undefined: nothing ever is. */
export function nearbyObject<T>(
  objects: ObjectStore,
  { key, codec }: CasObjectKind<T>,
): (() => Promise<Nearby<T> | null>) | undefined {
  return nearbyOf(objects, key, (bytes) => codec.decode(bytes));
}

function opened<T>({ codec, empty }: CasObjectKind<T>, object: StoredObject | null): Version<T> {
  return object === null ? { value: empty, etag: null } : { value: codec.decode(object.bytes), etag: object.etag };
}

export class CasObject<T> {
  readonly #deps: CasObjectDeps;
  readonly #kind: CasObjectKind<T>;

  constructor(deps: CasObjectDeps, kind: CasObjectKind<T>) {
    this.#deps = deps;
    this.#kind = kind;
  }

  /** Rejects if the storage does not answer, or with FormatError if the object is damaged. */
  async read(): Promise<Version<T>> {
    return readObject(this.#deps.objects, this.#kind);
  }

  /** Like `read`, but 'unchanged' if the object still has this etag. */
  async readIfChanged(etag: string | null): Promise<Version<T> | 'unchanged'> {
    return readObjectIfChanged(this.#deps.objects, this.#kind, etag);
  }

  /**
   * Replaces the value by `edit(value)`, unless that is null: nothing to do. `edit` is called once an attempt, on what
   * was then read, and so also after a put that failed but was persisted; if it rejects, that attempt has failed.
   * Resolves to the value as it now is, or to 'unavailable': then the change may or may not have been made.
   */
  async change(edit: (value: T) => T | null | Promise<T | null>): Promise<Version<T> | 'unavailable'> {
    const { objects, sleep, report } = this.#deps;
    const { key, codec } = this.#kind;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await sleep((0.5 + this.#jitter() / 2) * BASE_DELAY_MS * 2 ** (attempt - 1));
      try {
        const version = await this.read();
        const value = await edit(version.value);
        if (value === null) return version;
        const condition = version.etag === null ? ({ absent: true } as const) : { etag: version.etag };
        const written = await objects.put(key, codec.encode(value), condition);
        if (written !== null) return { value, etag: written.etag };
      } catch (error) {
        report(error);
      }
    }
    return 'unavailable';
  }

  /** 0 to 1. */
  #jitter(): number {
    return (this.#deps.randomBytes(1)[0] ?? 0) / 255;
  }
}
