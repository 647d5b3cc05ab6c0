/**
 * Virtual time and whose turn it is. Everything that waits, for storage or for a clock, is an event; one event runs at a
 * time, and whatever it wakes runs until all of it waits again. So the order of everything hangs on the events alone.
 *
 * Work counts as waiting again once a turn of the platform's loop has passed: what the product awaits besides events are
 * settled promises only (platform.ts sees to it), and those all run within a turn.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventQueue } from '../event-queue.ts';

/** Of real time, which the product must not see: taken before platform.ts guards it. */
const { setImmediate } = globalThis;

/** Far beyond what a seed needs; one that goes on is reported, not waited for. */
const MAX_EVENTS = 2_000_000;

/** Whose work is running: an action of the plan, and how many storage calls it has made. */
export interface Doer {
  /** Index in the plan; negative: before and after it. */
  readonly action: number;
  calls: number;
}

export class Scheduler {
  readonly #queue = new EventQueue();
  readonly #doers = new AsyncLocalStorage<Doer>();
  readonly #startMs: number;
  #hasWoken = false;
  #isStopped = false;

  /** @param startMs milliseconds since 1970 */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** Milliseconds since 1970, by a clock that is right. */
  get now(): number {
    return this.#startMs + this.#queue.now;
  }

  get doer(): Doer | undefined {
    return this.#doers.getStore();
  }

  /** Something that changes the world without anybody noticing. */
  after(ms: number, happen: () => void): void {
    this.#queue.plan(this.#queue.now + Math.ceil(ms), happen);
  }

  /** Something that wakes whoever waits for it. */
  wakeAfter(ms: number, wake: () => void): void {
    this.after(ms, () => {
      this.#hasWoken = true;
      wake();
    });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.wakeAfter(ms, resolve));
  }

  /** Begins work of an action; what becomes of it is the work's own affair. */
  begin(action: number, work: () => Promise<void>): void {
    this.#hasWoken = true;
    void this.#doers.run({ action, calls: 0 }, work);
  }

  /** What is under way stays where it is. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Runs until nothing is to come, or somebody has stopped it. */
  async run(): Promise<void> {
    this.#isStopped = false;
    for (let events = 0; !this.#isStopped && this.#queue.step(); events++) {
      if (events > MAX_EVENTS) throw new Error(`no rest after ${MAX_EVENTS} events`);
      if (!this.#hasWoken) continue;
      this.#hasWoken = false;
      await turn();
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
