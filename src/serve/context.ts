import type { ObjectStore, SliceStore } from '../store/store.ts';

/** What serving works with; clock and background work are handed in. */
export interface ServeContext {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /** A snapshot older than this answers nothing; MAX_AGE_MS (snapshot.ts) if not given. */
  readonly maxAgeMs?: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** Lets work go on after the answer has been sent (the platform's waitUntil). */
  background(work: Promise<unknown>): void;
  delay(ms: number): Promise<void>;
  /** An event for the operator's log. Details never contain a number. */
  log(event: string, details: Readonly<Record<string, string | number>>): void;
}
