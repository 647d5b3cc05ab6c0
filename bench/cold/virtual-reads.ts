/**
 * Reads and pauses in virtual time. The computation runs until it can only wait: no read of the store below is under
 * way, nothing is being hashed, and nothing else is left to run. Then time goes on to the next answer or the end of the
 * next pause. So what happens before what does not depend on how busy the machine is.
 *
 * A read depends on those that had been answered before it was begun: its depth is one more than the deepest of them.
 * All reads take the same time, so that none is answered early by chance.
 */

import type { StorageCall } from '../support/counting-stores.ts';

/** Longer than the pauses between two looks whether a read has ended (src/lib/swr-cache.ts). */
export const READ_MS = 60;
/** Turns of the event loop after which nothing that was ready to run is left. */
const SETTLED_TURNS = 4;
/** A second of answers that nobody waits for: then something waits for what never comes. */
const PATIENCE = 1_000;

interface Waiting {
  readonly atMs: number;
  readonly order: number;
  readonly resolve: () => void;
}

/** What an answer took until it was there. */
export interface Taken {
  /** Reads that had begun, and bytes that had been answered. */
  readonly reads: number;
  readonly bytes: number;
  /** Reads one after another: the deepest of those that had been answered. */
  readonly depth: number;
}

export class VirtualReads {
  /** In all, those behind the answers too. */
  reads = 0;
  bytes = 0;
  /** The deepest of the reads that have been answered since the last `until`. */
  #depth = 0;
  #underWay = 0;
  #nowMs = 0;
  #planned = 0;
  #working = 0;
  readonly #waiting: Waiting[] = [];

  /** Around a call of the store: anything but a read a lookup does not do. */
  readonly around = async <T>(call: StorageCall, make: () => Promise<T>): Promise<T> => {
    if (!call.kind.endsWith('Read')) throw new Error('a lookup only reads');
    this.reads += 1;
    this.#underWay += 1;
    const depth = this.#depth + 1;
    try {
      const due = this.#wait(READ_MS);
      const answer = await this.#work(make());
      await due;
      this.#depth = Math.max(this.#depth, depth);
      this.bytes += call.bytes;
      return answer;
    } finally {
      this.#underWay -= 1;
    }
  };

  /** Milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets everything happen that is due until then. @param begin what begins now, if anything does */
  async advanceTo(ms: number, begin = () => {}): Promise<void> {
    await this.#hashing(async () => {
      begin();
      for (await this.#settle(); this.#nextMs() <= ms; await this.#settle()) this.#goOn();
    });
    this.#nowMs = ms;
  }

  readonly sleep = (ms: number): Promise<void> => this.#wait(ms);

  /**
   * Lets time go on until the work is done, and then until what reads behind the answer has read.
   * @param work begins at once, or has begun; reads that are under way count for it
   */
  async until<T>(work: () => Promise<T>): Promise<Taken & { readonly value: T }> {
    const before = { reads: this.reads - this.#underWay, bytes: this.bytes };
    let taken: (Taken & { readonly value: T }) | undefined;
    let failure: { readonly error: unknown } | undefined;
    await this.#hashing(async () => {
      work().then(
        (value) => {
          taken = { reads: this.reads - before.reads, bytes: this.bytes - before.bytes, depth: this.#depth, value };
        },
        (error: unknown) => {
          failure = { error };
        },
      );
      let idle = 0;
      for (await this.#settle(); failure === undefined; await this.#settle()) {
        if (taken !== undefined && this.#underWay === 0) break;
        if (!this.#goOn() && ++idle > PATIENCE) throw new Error('an answer waits for nothing that is under way');
      }
    });
    this.#depth = 0;
    if (failure !== undefined) throw failure.error;
    if (taken === undefined) throw new Error('unreachable: the work has ended');
    return taken;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ atMs: this.#nowMs + ms, order: this.#planned++, resolve });
    });
  }

  /** To the next answer or end of a pause, with all that are due at that instant. false: there is none. */
  #goOn(): boolean {
    const next = this.#nextMs();
    if (!Number.isFinite(next)) return false;
    this.#nowMs = next;
    const due = this.#waiting.filter(({ atMs }) => atMs === next);
    for (const each of due) this.#waiting.splice(this.#waiting.indexOf(each), 1);
    for (const { resolve } of due.sort((a, b) => a.order - b.order)) resolve();
    return true;
  }

  #nextMs(): number {
    return this.#waiting.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  }

  async #work<T>(work: Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work;
    } finally {
      this.#working -= 1;
    }
  }

  async #settle(): Promise<void> {
    for (let turns = 0; turns < SETTLED_TURNS; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#working > 0) turns = -1;
    }
  }

  /** Hashes are computed by other threads: meanwhile they are known to be under way. */
  async #hashing(during: () => Promise<void>): Promise<void> {
    const { subtle } = crypto;
    const digest = subtle.digest.bind(subtle);
    subtle.digest = (...args) => this.#work(digest(...args));
    try {
      await during();
    } finally {
      subtle.digest = digest;
    }
  }
}
