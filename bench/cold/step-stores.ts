/**
 * Stores in which reads take steps: all that are under way at an instant are answered together, one step later. So the
 * number of steps until an answer is how many reads it had to wait for one after another.
 */
import type { ObjectHead, ObjectStore, SliceStore, StoredObject } from '../../src/store/store.ts';

export class Steps {
  taken = 0;
  reads = 0;
  bytes = 0;
  #waiting: (() => void)[] = [];

  /** Counts a read, whose answer comes a step later. */
  async read<T extends Uint8Array | StoredObject | 'unchanged' | null>(value: Promise<T>): Promise<T> {
    this.reads += 1;
    const answer = await value;
    if (answer instanceof Uint8Array) this.bytes += answer.length;
    else if (answer !== null && answer !== 'unchanged') this.bytes += answer.sizeBytes;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return answer;
  }

  /** Answers what waits, step by step, until the work is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    // A failure is the caller's, who gets the same promise.
    done.catch(() => {});
    // Usually there is nothing to read.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      if (isDone) return done;
      // The stores below answer after real I/O: what is under way has come in when two rounds add nothing.
      await this.#quiet();
      const released = this.#waiting;
      if (released.length === 0) continue;
      this.#waiting = [];
      this.taken += 1;
      for (const release of released) release();
    }
  }

  async #quiet(): Promise<void> {
    let before = -1;
    for (let same = 0; same < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const now = this.#waiting.length + this.reads;
      same = now === before ? same + 1 : 0;
      before = now;
    }
  }
}

/** Reads of both stores in the same steps; what does not read is refused. */
export class StepObjectStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #steps: Steps;

  constructor(inner: ObjectStore, steps: Steps) {
    this.#inner = inner;
    this.#steps = steps;
  }

  get(key: string): Promise<StoredObject | null> {
    return this.#steps.read(this.#inner.get(key));
  }

  getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    return this.#steps.read(this.#inner.getIfChanged(key, etag));
  }

  getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#steps.read(this.#inner.getRange(key, offset, length));
  }

  async head(key: string): Promise<ObjectHead | null> {
    return this.#inner.head(key);
  }

  put(): Promise<never> {
    return refused();
  }

  list(): Promise<never> {
    return refused();
  }

  delete(): Promise<never> {
    return refused();
  }
}

export class StepSliceStore implements SliceStore {
  readonly #inner: SliceStore;
  readonly #steps: Steps;

  constructor(inner: SliceStore, steps: Steps) {
    this.#inner = inner;
    this.#steps = steps;
  }

  get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#steps.read(this.#inner.get(key));
  }

  put(): Promise<never> {
    return refused();
  }

  delete(): Promise<never> {
    return refused();
  }

  list(): Promise<never> {
    return refused();
  }
}

function refused(): Promise<never> {
  return Promise.reject(new Error('a lookup only reads'));
}
