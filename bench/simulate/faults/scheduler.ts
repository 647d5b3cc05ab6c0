/**
 * Virtual time, and whose turn it is. Everything that waits, for storage or for a clock, is an event. One event runs at
 * a time, and what it wakes runs until all of it waits again. So the order of everything depends on the events alone.
 *
 * Work counts as waiting again once a turn of the platform's loop has passed: besides events, the product awaits only
 * settled promises (platform.ts makes sure of that), and these all run within a turn.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { EventQueue } from '../../support/event-queue.ts';

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

// An isolate as the platform has it: a clock of its own, and gone at any moment.

/** The oldest that an isolate may still answer with: what it has shown once, it knows. */
export interface Floor {
  readonly generation: number;
  readonly rules: number;
  /** The newest rules that a change through it put in force, and when that was answered; milliseconds since 1970. */
  readonly changed: { readonly rules: number; readonly atMs: number };
  /** Until when its health has said that a generation was certainly the newest; milliseconds since 1970. */
  readonly confirmed: { readonly generation: number; readonly atMs: number };
}

interface HostDeps {
  readonly scheduler: Scheduler;
  trace(line: string): void;
}

export class Host {
  readonly name: string;
  /** Whose KV caches it sees. */
  readonly place: string;
  /** Its clock against the one that is right. */
  readonly skewMs: number;
  /** Stretches of time in which a storage call of its was failing or slow. */
  readonly troubles: { readonly from: number; readonly to: number; readonly target: string }[] = [];
  /** When it last saw the manifest. */
  confirmedAt = Number.NEGATIVE_INFINITY;
  readonly #deps: HostDeps;
  readonly #waiting = new Set<() => void>();
  #floor: Floor = { generation: 0, rules: 0, changed: { rules: 0, atMs: 0 }, confirmed: { generation: 0, atMs: 0 } };
  #isAlive = true;

  constructor(deps: HostDeps, name: string, place: string, skewMs: number) {
    this.#deps = deps;
    this.name = name;
    this.place = place;
    this.skewMs = skewMs;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Milliseconds since 1970, by its clock. */
  get now(): number {
    return Math.floor(this.#deps.scheduler.now + this.skewMs);
  }

  get floor(): Floor {
    return this.#floor;
  }

  raise({ generation, rules, changed, confirmed }: Partial<Floor>): void {
    const { floor } = this;
    this.#floor = {
      generation: Math.max(generation ?? 0, floor.generation),
      rules: Math.max(rules ?? 0, floor.rules),
      changed: changed !== undefined && changed.rules > floor.changed.rules ? changed : floor.changed,
      confirmed: confirmed ?? floor.confirmed,
    };
  }

  /** Whether no storage call of its failed or was slow since then; of keys that begin so, if any are given. */
  isCalmSince(from: number, prefixes: readonly string[] = ['']): boolean {
    return this.troubles.every(({ to, target }) => to < from || !prefixes.some((prefix) => target.startsWith(prefix)));
  }

  /** What it was doing is never heard of again. */
  evict(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#deps.trace(`${this.name} is evicted`);
    for (const tell of this.#waiting) this.#deps.scheduler.wakeAfter(0, tell);
  }

  /** Resolves to null if the isolate goes first. Rejects with what the work rejects with. */
  run<T>(work: () => Promise<T>): Promise<T | null> {
    if (!this.#isAlive) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const gone = () => resolve(null);
      this.#waiting.add(gone);
      const settled = () => this.#waiting.delete(gone);
      work().finally(settled).then(resolve, reject);
    });
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.scheduler.wakeAfter(ms, () => {
        if (this.#isAlive) resolve();
      });
    });
  }
}
