/**
 * The object store of a simulation: strongly consistent, as R2 is, with an ETag that is the content's MD5, so that bytes
 * which return are the same version again. It knows what the product promised of its keys, and who broke it.
 */
import { createHash } from 'node:crypto';

type Bytes = Uint8Array<ArrayBuffer>;

export interface Entry {
  readonly key: string;
  readonly bytes: Bytes;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly uploadedAt: number;
  /** Kept beside the object. */
  readonly owner: string | undefined;
}

export type Condition = { readonly absent: true } | { readonly etag: string };

export interface BucketWatch {
  /** After a put that took effect. */
  onPut(entry: Entry, before: Entry | undefined): void;
  /** A promise about keys was broken. */
  onBroken(promise: string, detail: string): void;
}

/** Keys whose objects may be replaced by others; all else is written once. */
const MUTABLE = [
  'manifest',
  'attempt',
  'lease',
  'census',
  'config/keys',
  'config/tenants',
  'config/canaries',
  'config/tenants-seen',
  'current',
];
const MUTABLE_PREFIXES = ['briefings/', 'batches/waiting/'];
const RATE_LIMIT_MS = 1_000;

function isMutable(key: string): boolean {
  return MUTABLE.includes(key) || MUTABLE_PREFIXES.some((prefix) => key.startsWith(prefix));
}

export class Bucket {
  readonly #objects = new Map<string, Entry>();
  /** What was first put under each key. */
  readonly #first = new Map<string, string>();
  /** When each key that is gone was deleted. */
  readonly #deleted = new Map<string, number>();
  readonly #now: () => number;
  readonly #watch: BucketWatch;

  constructor(now: () => number, watch: BucketWatch) {
    this.#now = now;
    this.#watch = watch;
  }

  get(key: string): Entry | undefined {
    return this.#objects.get(key);
  }

  deletedAt(key: string): number | undefined {
    return this.#deleted.get(key);
  }

  /** Whether the key has just been written, so that a write would be refused. */
  isBusy(key: string): boolean {
    const entry = this.#objects.get(key);
    return entry !== undefined && this.#now() - entry.uploadedAt < RATE_LIMIT_MS;
  }

  put(key: string, bytes: Bytes, condition?: Condition, owner?: string): Entry | null {
    const before = this.#objects.get(key);
    if (condition !== undefined) {
      const holds = 'absent' in condition ? before === undefined : before?.etag === condition.etag;
      if (!holds) return null;
    }
    const etag = createHash('md5').update(bytes).digest('hex');
    const entry = { key, bytes: bytes.slice(), etag, sizeBytes: bytes.length, uploadedAt: this.#now(), owner };
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, etag);
    else if (first !== etag && !isMutable(key)) this.#watch.onBroken('no immutable object changes', key);
    this.#objects.set(key, entry);
    this.#deleted.delete(key);
    this.#watch.onPut(entry, before);
    return entry;
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#deleted.set(key, this.#now());
  }

  keys(prefix: string): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  list(prefix: string, cursor: string | undefined, limit: number): { objects: Entry[]; cursor?: string } {
    const rest = this.keys(prefix).filter((key) => cursor === undefined || key > cursor);
    const objects = rest.slice(0, limit).flatMap((key) => this.#objects.get(key) ?? []);
    const last = objects.at(-1);
    return rest.length > objects.length && last !== undefined ? { objects, cursor: last.key } : { objects };
  }
}
