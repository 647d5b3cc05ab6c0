/**
 * Canaries: numbers that the operator owns or invents, plants where a dishonest source would pick them up, and gives to
 * no one. An honest source cannot have seen one, so a single detection tells, whatever the size of the upload.
 * Frame "RFCN" version 1 around JSON: {"canaries": [{"number", "note", "by", "createdAt"}]}.
 */
import * as v from 'valibot';
import { FormatError } from '../lib/bytes.ts';
import { messageOf } from '../lib/errors.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { CasObject, type CasObjectDeps, type CasObjectKind } from '../storage/cas-object.ts';
import { CANARIES_KEY } from '../storage/keys.ts';
import type { ObjectStore } from '../storage/store.ts';

/** Planted by hand. A list of this size is read by each tick that merges, in some 100 KB. */
export const MAX_CANARIES = 1_000;

const canary = v.object({
  /** E.164 digits. */
  number: count,
  note: v.nullable(v.string()),
  /** Id of the API key. */
  by: v.string(),
  /** Milliseconds since 1970. */
  createdAt: count,
});

export type Canary = Readonly<v.InferOutput<typeof canary>>;

const file = framedJson('RFCN', 1, v.object({ canaries: v.pipe(v.array(canary), v.maxLength(MAX_CANARIES)) }));

const CANARIES: CasObjectKind<readonly Canary[]> = {
  key: CANARIES_KEY,
  codec: {
    encode: (canaries) => file.encode({ canaries: [...canaries] }),
    decode: (bytes) => file.decode(bytes).canaries,
  },
  empty: [],
};

/**
 * For a tick, and a check. Rejects if the storage does not answer, or with a FormatError that names the object if it is
 * damaged: then nothing may be merged, since canaries would be listed, and those who report them not be found out.
 */
export async function readCanaries(objects: ObjectStore): Promise<ReadonlySet<number>> {
  const object = await objects.get(CANARIES_KEY);
  if (object === null) return new Set();
  try {
    return new Set(CANARIES.codec.decode(object.bytes).map(({ number }) => number));
  } catch (error) {
    throw new FormatError(`${CANARIES_KEY}: ${messageOf(error)}`, { cause: error });
  }
}

export type CanaryChange =
  | { readonly kind: 'done'; readonly canary: Canary }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'full'; readonly limit: string }
  /** The change may or may not have been made. */
  | { readonly kind: 'unavailable' };

export class CanaryStore {
  readonly #list: CasObject<readonly Canary[]>;

  constructor(deps: CasObjectDeps) {
    this.#list = new CasObject(deps, CANARIES);
  }

  async list(): Promise<readonly Canary[]> {
    return (await this.#list.read()).value;
  }

  /** Plants a number, or changes its note. */
  async put(planted: Canary): Promise<CanaryChange> {
    let result: CanaryChange = { kind: 'unavailable' };
    const version = await this.#list.change((canaries) => {
      const before = canaries.find(({ number }) => number === planted.number);
      const stored = before === undefined ? planted : { ...before, note: planted.note, by: planted.by };
      if (before === undefined && canaries.length >= MAX_CANARIES) {
        result = { kind: 'full', limit: `${MAX_CANARIES} canaries` };
        return null;
      }
      result = { kind: 'done', canary: stored };
      return [...canaries.filter((one) => one !== before), stored];
    });
    return version === 'unavailable' ? { kind: 'unavailable' } : result;
  }

  /** What was left out of the inventory for its sake stays out: its batches have it. */
  async remove(number: number): Promise<CanaryChange> {
    let result: CanaryChange = { kind: 'not-found' };
    const version = await this.#list.change((canaries) => {
      const found = canaries.find((one) => one.number === number);
      // Gone by an earlier attempt that failed and was persisted all the same: `result` says it was there.
      if (found === undefined) return null;
      result = { kind: 'done', canary: found };
      return canaries.filter((one) => one !== found);
    });
    return version === 'unavailable' ? { kind: 'unavailable' } : result;
  }
}
