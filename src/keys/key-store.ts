/** Reading and changing the key file: one object, replaced by a conditional put. */
import { API_KEYS_KEY } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';
import { type ApiKey, decodeKeys, encodeKeys } from './key-file.ts';

/** The stored keys, and the etag of the object they were read from; null: there is none yet. */
export interface KeyVersion {
  readonly keys: readonly ApiKey[];
  readonly etag: string | null;
}

/** Keys are changed by hand, a few a day: five writers at once do not happen. */
const ATTEMPTS = 5;
/** R2 takes one write a second of one key, so retries spread over the seconds that follow: up to 0.5, 1, 2, 4 s. */
const BASE_DELAY_MS = 500;

export interface KeyStoreDeps {
  readonly objects: ObjectStore;
  /** Cryptographically random; the retry delay needs it too. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** Told of failures that the caller only sees as "no answer". */
  readonly report: (error: unknown) => void;
}

export class KeyStore {
  readonly #deps: KeyStoreDeps;

  constructor(deps: KeyStoreDeps) {
    this.#deps = deps;
  }

  /** Rejects if the storage does not answer, or with FormatError if the object is damaged. */
  async read(): Promise<KeyVersion> {
    const object = await this.#deps.objects.get(API_KEYS_KEY);
    return object === null ? { keys: [], etag: null } : { keys: decodeKeys(object.bytes), etag: object.etag };
  }

  /** Like `read`, but 'unchanged' if the object still has this etag. */
  async readIfChanged(etag: string | null): Promise<KeyVersion | 'unchanged'> {
    if (etag === null) return this.read();
    const object = await this.#deps.objects.getIfChanged(API_KEYS_KEY, etag);
    if (object === 'unchanged') return object;
    return object === null ? { keys: [], etag: null } : { keys: decodeKeys(object.bytes), etag: object.etag };
  }

  /**
   * Replaces the keys by `edit(keys)`, unless that is null: nothing to do. `edit` is called once an attempt, on what was
   * then read, and so also after a put that failed but was persisted. Resolves to the keys as they now are, or to
   * 'unavailable': then the change may or may not have been made.
   */
  async change(edit: (keys: readonly ApiKey[]) => readonly ApiKey[] | null): Promise<KeyVersion | 'unavailable'> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await this.#deps.sleep(this.#jitter() * BASE_DELAY_MS * 2 ** (attempt - 1));
      try {
        const version = await this.read();
        const keys = edit(version.keys);
        if (keys === null) return version;
        const condition = version.etag === null ? ({ absent: true } as const) : { etag: version.etag };
        const written = await this.#deps.objects.put(API_KEYS_KEY, encodeKeys(keys), condition);
        if (written !== null) return { keys, etag: written.etag };
      } catch (error) {
        this.#deps.report(error);
      }
    }
    return 'unavailable';
  }

  /** 0 to 1. */
  #jitter(): number {
    return (this.#deps.randomBytes(1)[0] ?? 0) / 255;
  }
}
