/** An isolate as the platform has it: a clock of its own, and gone at any moment. */
import type { Scheduler } from './scheduler.ts';

/** The oldest that an isolate may still answer with: what it has shown once, it knows. */
export interface Floor {
  readonly generation: number;
  readonly rules: number;
  /** Until when its health has said that a generation was certainly the newest; milliseconds since 1970. */
  readonly confirmed: { readonly generation: number; readonly atMs: number };
}

export interface HostDeps {
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
  #floor: Floor = { generation: 0, rules: 0, confirmed: { generation: 0, atMs: 0 } };
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

  raise({ generation, rules, confirmed }: Partial<Floor>): void {
    const { floor } = this;
    this.#floor = {
      generation: Math.max(generation ?? 0, floor.generation),
      rules: Math.max(rules ?? 0, floor.rules),
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
