/** What has become of an upload. */
import type { Manifest } from '../format/manifest.ts';
import { readLedger } from '../quality/ledger.ts';
import { readHeld } from '../quality/omissions.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';
import { loadManifest } from './publish.ts';
import { readSetAside, type SetAside } from './set-aside.ts';
import { isListed, stateIn, withdrawalOf } from './withdraw.ts';
import { readWithdrawals, type Withdrawals } from './withdrawals.ts';

export const BATCH_STATES = [
  /** For the next ticks. */
  'waiting',
  /** In the inventory, but for what is held back or was dropped. */
  'merged',
  /** All of it is held back, with its sources. */
  'held',
  /** Kept out as a whole, by a rollback or since a tick failed on it; can be released. */
  'set-aside',
  /** Taken back: ticks are taking out what the inventory has of it. */
  'withdrawing',
  'withdrawn',
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

export const WITHDRAWAL_STEPS = [
  /** After others. */
  'queued',
  /** Ticks read the kept batches. */
  'gathering',
  /** Ticks write the runs and facts. */
  'rewriting',
] as const;
export type WithdrawalStep = (typeof WITHDRAWAL_STEPS)[number];

/** What a generation says of batches: read once, asked for many. */
export class BatchStates {
  readonly manifest: Manifest;
  readonly #objects: ObjectStore;
  readonly #setAside: ReadonlyMap<string, SetAside>;
  #withdrawals: Withdrawals;
  /** Commit of the generation that the list of withdrawals is of. */
  #withdrawalsOf: string;
  readonly #held: ReadonlyMap<string, number>;

  private constructor(
    objects: ObjectStore,
    manifest: Manifest,
    known: {
      readonly setAside: readonly SetAside[];
      readonly withdrawals: Withdrawals;
      readonly held: ReadonlyMap<string, number>;
    },
  ) {
    this.#objects = objects;
    this.manifest = manifest;
    this.#setAside = new Map(known.setAside.map((one) => [one.id, one]));
    this.#withdrawals = known.withdrawals;
    this.#withdrawalsOf = manifest.commit;
    this.#held = known.held;
  }

  /**
   * Of the current generation. A handful of reads, and one for each 5,000 batches set aside and 1,000 held.
   * @param tellsHeld whether what is held back is read as well; else it counts as merged
   */
  static async read(objects: ObjectStore, tellsHeld: boolean): Promise<BatchStates> {
    const { manifest } = await loadManifest(objects);
    return new BatchStates(objects, manifest, {
      setAside: await readSetAside(objects, manifest),
      withdrawals: await readWithdrawals(objects, manifest),
      held: tellsHeld ? await readHeld(objects, await readLedger(objects, manifest)) : new Map(),
    });
  }

  setAside(id: string): SetAside | null {
    return this.#setAside.get(id) ?? null;
  }

  /**
   * When, in milliseconds since 1970, and by whom it was withdrawn; null: it was not. Takes one read, or three of one that
   * the list does not have: it was withdrawn long ago, or just now, and then the list that has it is read.
   */
  async withdrawal(id: string): Promise<{ readonly at: number; readonly by: string } | null> {
    const found = await withdrawalOf(this.#objects, this.#withdrawals, id);
    if (found === null || isListed(this.#withdrawals, id)) return found;
    const { manifest } = await loadManifest(this.#objects);
    if (manifest.commit !== this.#withdrawalsOf) {
      this.#withdrawals = await readWithdrawals(this.#objects, manifest);
      this.#withdrawalsOf = manifest.commit;
    }
    return found;
  }

  /** How far taking out what the inventory has of a withdrawn batch is; null: nothing is left to do. */
  withdrawalStep(id: string): WithdrawalStep | null {
    const { pending, job } = this.#withdrawals;
    if (!pending.some((one) => one.id === id)) return null;
    if (job === null || !job.batches.some((one) => one.id === id)) return 'queued';
    return job.facts === null ? 'gathering' : 'rewriting';
  }

  /** Rows held back. */
  held(id: string): number {
    return this.#held.get(id) ?? 0;
  }

  /** Takes five reads at most. @param accepted rows of the batch */
  async of(id: string, accepted: number): Promise<BatchState> {
    if ((await this.withdrawal(id)) !== null) return stateIn(this.#withdrawals, id);
    if (this.#setAside.has(id)) return 'set-aside';
    if (await this.#isWaiting(id)) return 'waiting';
    return accepted > 0 && this.held(id) >= accepted ? 'held' : 'merged';
  }

  async #isWaiting(id: string): Promise<boolean> {
    const { replay, consumed } = this.manifest;
    if (replay.includes(id)) return true;
    if (consumed.includes(id)) return false;
    // In this order: a batch moves from the one place to the other.
    const waits = (await this.#objects.head(WAITING_PREFIX + id)) !== null;
    return waits && (await this.#objects.head(MERGED_PREFIX + id)) === null;
  }
}
