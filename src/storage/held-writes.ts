/**
 * What an isolate has written of late, kept in its memory: a tick reads what the tick before has written, such as the
 * newest run, its activity and the ledger. Held are immutable objects only, under keys that nobody else writes, and
 * only once the store has taken them; so what is held is what the store has, for as long as it has it.
 */
import { isParcel, openParcel } from '../format/parcel.ts';
import { ByteCache } from '../lib/byte-cache.ts';
import type { Bytes } from '../lib/bytes.ts';
import { ACTIVITY_PREFIX, COMPACTION_PREFIX, LEDGER_PREFIX, RETAINED_PREFIX, SEGMENT_PREFIX } from './keys.ts';
import { partKey, partOf } from './parts.ts';
import { type ObjectHead, type PutCondition, type StoredObject, StoreInFront } from './store.ts';

/** A quiet hour's run, activity and ledger together; a run of 32,768 numbers is some 600 KB. */
const BUDGET_BYTES = 2 * 2 ** 20;
/** Larger ones come of merges that are no minute's, and would push the others out. */
const OBJECT_BYTES = BUDGET_BYTES / 2;
const HELD_PREFIXES = [SEGMENT_PREFIX, ACTIVITY_PREFIX, LEDGER_PREFIX, COMPACTION_PREFIX];

export class HeldWrites extends StoreInFront {
  readonly #held = new ByteCache<StoredObject>(BUDGET_BYTES);

  /** Bytes held at present, never above 2 MiB. */
  get heldBytes(): number {
    return this.#held.bytes;
  }

  override async get(key: string): Promise<StoredObject | null> {
    const held = this.#find(key);
    return held === undefined ? this.inner.get(key) : { ...held, key };
  }

  override async getRange(key: string, offset: number, length: number): Promise<Bytes | null> {
    const held = this.#find(key);
    // Beyond its end it is the store that says what is wrong.
    if (held === undefined || offset + length > held.sizeBytes) return this.inner.getRange(key, offset, length);
    return held.bytes.slice(offset, offset + length);
  }

  override async put(key: string, bytes: Bytes, condition?: PutCondition, owner?: string): Promise<ObjectHead | null> {
    const head = await this.inner.put(key, bytes, condition, owner);
    if (head === null) return head;
    if (HELD_PREFIXES.some((one) => key.startsWith(one))) this.#hold(head, bytes);
    if (key.startsWith(RETAINED_PREFIX) && isParcel(bytes)) {
      for (const { offset, bytes: part } of openParcel(bytes).parts) {
        const { length } = part;
        this.#hold({ ...head, key: partKey({ object: key, offset, length }), sizeBytes: length }, part);
      }
    }
    return head;
  }

  #hold(head: ObjectHead, bytes: Bytes): void {
    // As they are now: whoever wrote them may go on with the same buffer.
    if (bytes.length <= OBJECT_BYTES) this.#held.set(head.key, { ...head, bytes: bytes.slice() }, bytes.length);
  }

  /** What is held of a part is found whatever its key says of it besides. */
  #find(key: string): StoredObject | undefined {
    const part = partOf(key);
    return this.#held.get(part === null ? key : partKey(part));
  }

  override delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#held.delete(key);
    return this.inner.delete(keys);
  }
}
