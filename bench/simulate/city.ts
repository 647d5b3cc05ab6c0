/**
 * One city as a discrete-event model: the isolates that answer there, what each holds, and the caches around them. The
 * rules are those of src/lib/swr-cache.ts, src/lookup/finder.ts and src/storage/city.ts, with counts in the place of
 * bytes; a test runs the edge Worker itself through the same lookups and compares what both read
 * (test/unit/bench/simulate/city.test.ts).
 *
 * A lookup that waits is taken to be over at once: another one of the same isolate in these milliseconds finds what it
 * read. What goes on behind the answers takes its time.
 */

import {
  CLOCK_DIFFERENCE_MS,
  KEEP_UP_AFTER_MS,
  NEARBY_BEHIND_MS,
  NEARBY_MS,
  REFRESH_AFTER_MS,
} from '../../src/lib/swr-cache.ts';
import { EventQueue } from '../support/event-queue.ts';

/** The objects that change. */
export const HEADS = ['manifest', 'keys', 'tenants'] as const;
export type Head = (typeof HEADS)[number];

/**
 * How old keys and the index of tenants are used without waiting (src/keys/registry.ts, src/tenants/tenant-rules.ts).
 */
const KEYS_WAIT_MS = 45_000;
const TENANTS_WAIT_MS = 30_000;
/** src/lib/swr-cache.ts */
const KEEP_UP_EVERY_MS = 10_000;
/** src/lookup/finder.ts */
const PREPARED_SEGMENTS = 4;
/** A policy and a list of overrides. */
const DOCUMENTS = 2;

export type Read = Head | 'column' | 'page' | 'document';
/** Where a read was answered: in the city by its cache or by KV's, or by KV or R2 from afar. */
export type Place = 'city' | 'kvHot' | 'kvFar' | 'r2';

/** Columns of a run: one a segment, the same until the run is written anew. */
export interface ModelRun {
  readonly segments: number;
  /** Generations after which it is written anew; infinite for the base. */
  readonly period: number;
  /** Whether its numbers columns are in KV: those of runs that folds write are read from R2. */
  readonly isSliced: boolean;
  /** Pages of verdicts of a segment. */
  readonly pages: number;
}

export interface CitySettings {
  /** Youngest first, the base last. */
  readonly runs: readonly ModelRun[];
  /** The generation that is the newest at an instant. */
  readonly generationAt: (ms: number) => number;
  /** Whether isolates of the city share a cache: on workers.dev they do not. */
  readonly hasCity: boolean;
  readonly keepsUp: boolean;
  /** Age of the manifest from which on a lookup waits for a refresh. */
  readonly waitMs: number;
  /** How long KV keeps in the city what was read there once. */
  readonly kvKeepsMs: number;
  /** Pages of verdicts that the budget of an isolate has room for. */
  readonly verdictPages: number;
  /** How long a read takes. */
  readonly latencyMs: (place: Place) => number;
  readonly onRead: (read: Read, place: Place) => void;
}

export interface ModelLookup {
  /** Where in the number space, from 0 to below 1; of each run that says which segment, and which of its pages. */
  readonly at: number;
  readonly isListed: boolean;
  readonly tenant: number;
}

export interface Answered {
  /** What it waited for storage and caches. */
  readonly waitedMs: number;
  /** The first that it waited for from outside of the city; null: it did not leave it. */
  readonly leftFor: 'heads' | 'numbers, rules' | 'verdicts' | null;
  /** Whether it waited for the manifest, so that it also had to open one. */
  readonly hasOpened: boolean;
}

interface Copy {
  readonly version: number;
  readonly confirmedAt: number;
  readonly landedAt: number;
}

interface Newest {
  readonly version: number;
  readonly at: number;
}

export class ModelIsolate {
  isAlive = true;
  readonly copies: Record<Head, Copy | null> = { manifest: null, keys: null, tenants: null };
  readonly reading: Record<Head, boolean> = { manifest: false, keys: false, tenants: false };
  readonly keptUpAt: Record<Head, number> = {
    manifest: Number.NEGATIVE_INFINITY,
    keys: Number.NEGATIVE_INFINITY,
    tenants: Number.NEGATIVE_INFINITY,
  };
  readonly numbers = new Set<string>();
  /** Those used longest ago first. */
  readonly verdicts = new Set<string>();
  readonly tenants = new Set<number>();
}

/** The slowest of what was read side by side. */
class Stage {
  ms = 0;
  hasLeft = false;

  add(ms: number, place: Place): void {
    this.ms = Math.max(this.ms, ms);
    this.hasLeft ||= place === 'r2' || place === 'kvFar';
  }
}

export class City {
  readonly queue = new EventQueue();
  readonly #settings: CitySettings;
  readonly #newest: Record<Head, Newest | null> = { manifest: null, keys: null, tenants: null };
  readonly #kept = new Set<string>();
  readonly #kvUntil = new Map<string, number>();

  constructor(settings: CitySettings) {
    this.#settings = settings;
  }

  lookup(isolate: ModelIsolate, { at, isListed, tenant }: ModelLookup): Answered {
    const { now } = this.queue;
    const heads = new Stage();
    const before = isolate.copies.manifest;
    for (const head of HEADS) this.#use(isolate, head, now, heads);
    const { manifest } = isolate.copies;
    if (manifest === null) throw new Error('unreachable: a lookup has a manifest');
    const columns = new Stage();
    const segments = this.#settings.runs.map((run, i) =>
      columnOf(run, i, manifest.version, Math.floor(at * run.segments)),
    );
    for (const [run, column] of segments.entries()) this.#numbers(isolate, column, run, columns);
    if (!isolate.tenants.has(tenant)) {
      isolate.tenants.add(tenant);
      for (let i = 0; i < DOCUMENTS; i++) this.#immutable(`document ${tenant}/${i}`, 'document', columns);
    }
    const verdicts = new Stage();
    // Most that is listed is in the base.
    if (isListed) this.#verdicts(isolate, `${segments.at(-1)}/${this.#pageOf(at)}`, verdicts);
    return {
      waitedMs: heads.ms + columns.ms + verdicts.ms,
      leftFor: heads.hasLeft ? 'heads' : columns.hasLeft ? 'numbers, rules' : verdicts.hasLeft ? 'verdicts' : null,
      hasOpened: manifest.version !== before?.version && manifest.landedAt === now,
    };
  }

  // Heads.

  #use(isolate: ModelIsolate, head: Head, now: number, stage: Stage): void {
    const copy = isolate.copies[head];
    const ageMs = copy === null ? Number.POSITIVE_INFINITY : now - copy.confirmedAt;
    if (this.#settings.keepsUp && now - isolate.keptUpAt[head] >= KEEP_UP_EVERY_MS) {
      isolate.keptUpAt[head] = now;
      for (const afterMs of KEEP_UP_AFTER_MS) {
        this.queue.plan(now + afterMs, () => {
          if (isolate.isAlive) this.#refreshBehind(isolate, head);
        });
      }
    }
    if (ageMs < this.#waitMs(head)) {
      this.#refreshBehind(isolate, head);
      return;
    }
    const near = this.#near(isolate, head, NEARBY_MS);
    if (near !== null) {
      stage.add(this.#read(head, 'city'), 'city');
      isolate.copies[head] = near(now);
      return;
    }
    stage.add(this.#read(head, 'r2'), 'r2');
    isolate.copies[head] = taken(copy, this.#newestVersion(head, now), now, now);
    this.#note(head, now);
  }

  #waitMs(head: Head): number {
    if (head === 'keys') return KEYS_WAIT_MS;
    return head === 'tenants' ? TENANTS_WAIT_MS : this.#settings.waitMs;
  }

  #refreshBehind(isolate: ModelIsolate, head: Head): void {
    const { now } = this.queue;
    const copy = isolate.copies[head];
    if (copy === null || now - copy.confirmedAt < REFRESH_AFTER_MS || isolate.reading[head]) return;
    isolate.reading[head] = true;
    const near = this.#near(isolate, head, NEARBY_BEHIND_MS);
    const place = near === null ? 'r2' : 'city';
    const readMs = this.#read(head, place);
    const version = near === null ? this.#newestVersion(head, now) : near(now).version;
    this.queue.plan(now + readMs, () => {
      if (near === null) this.#note(head, now, version);
      if (!isolate.isAlive) return;
      const stage = new Stage();
      if (head === 'manifest' && version !== copy.version) this.#prepare(isolate, version, copy.version, stage);
      this.queue.plan(this.queue.now + stage.ms, () => {
        isolate.reading[head] = false;
        if (!isolate.isAlive) return;
        // Somebody who waited may have read it meanwhile.
        const held = isolate.copies[head];
        if (held !== null && held !== copy) return;
        isolate.copies[head] = near === null ? taken(copy, version, now, this.queue.now) : near(this.queue.now);
      });
    });
  }

  /** What the city says of a head, if it is young enough and news to the isolate: the copy that it makes of it. */
  #near(isolate: ModelIsolate, head: Head, maxMs: number): ((landedAt: number) => Copy) | null {
    const newest = this.#newest[head];
    if (!this.#settings.hasCity || newest === null || this.queue.now - newest.at >= maxMs) return null;
    const copy = isolate.copies[head];
    const at = newest.at - CLOCK_DIFFERENCE_MS;
    if (copy !== null && at <= (copy.version === newest.version ? copy.confirmedAt : copy.landedAt)) return null;
    return (landedAt) => taken(copy, newest.version, at, landedAt);
  }

  #note(head: Head, at: number, version = this.#newestVersion(head, at)): void {
    this.#newest[head] = { version, at };
  }

  /** Keys and rules change so rarely that it does not show. */
  #newestVersion(head: Head, now: number): number {
    return head === 'manifest' ? this.#settings.generationAt(now) : 0;
  }

  // Columns and documents.

  /** Numbers of the young runs, where memory has some of the same range. */
  #prepare(isolate: ModelIsolate, next: number, held: number, stage: Stage): void {
    const { runs } = this.#settings;
    let left = PREPARED_SEGMENTS;
    for (const [i, run] of runs.entries()) {
      if (epochOf(run, next) === epochOf(run, held)) continue;
      for (let segment = 0; segment < run.segments && left > 0; segment++) {
        const column = columnOf(run, i, next, segment);
        if (isolate.numbers.has(column)) continue;
        if (!this.#hasOverlapping(isolate, held, segment / run.segments, (segment + 1) / run.segments)) continue;
        this.#numbers(isolate, column, i, stage);
        left -= 1;
      }
    }
  }

  #hasOverlapping(isolate: ModelIsolate, generation: number, from: number, to: number): boolean {
    return this.#settings.runs.some((run, i) => {
      for (let segment = Math.floor(from * run.segments); segment < to * run.segments; segment++) {
        if (isolate.numbers.has(columnOf(run, i, generation, segment))) return true;
      }
      return false;
    });
  }

  #numbers(isolate: ModelIsolate, column: string, run: number, stage: Stage): void {
    if (isolate.numbers.has(column)) return;
    isolate.numbers.add(column);
    if (this.#settings.runs[run]?.isSliced === true) this.#slice(column, stage);
    else this.#immutable(column, 'column', stage);
  }

  /** In the base. */
  #pageOf(at: number): number {
    const { segments = 1, pages = 1 } = this.#settings.runs.at(-1) ?? {};
    return Math.floor(((at * segments) % 1) * pages);
  }

  #verdicts({ verdicts }: ModelIsolate, page: string, stage: Stage): void {
    const isHeld = verdicts.delete(page);
    verdicts.add(page);
    if (isHeld) return;
    this.#immutable(page, 'page', stage);
    if (verdicts.size > this.#settings.verdictPages)
      for (const oldest of verdicts) {
        verdicts.delete(oldest);
        break;
      }
  }

  /** From KV. */
  #slice(column: string, stage: Stage): void {
    const { now } = this.queue;
    const until = this.#kvUntil.get(column) ?? Number.NEGATIVE_INFINITY;
    const place = until > now ? 'kvHot' : 'kvFar';
    if (place === 'kvFar') this.#kvUntil.set(column, now + this.#settings.kvKeepsMs);
    stage.add(this.#read('column', place), place);
  }

  #immutable(key: string, read: Read, stage: Stage): void {
    const place = this.#kept.has(key) ? 'city' : 'r2';
    if (this.#settings.hasCity) this.#kept.add(key);
    stage.add(this.#read(read, place), place);
  }

  #read(read: Read, place: Place): number {
    this.#settings.onRead(read, place);
    return this.#settings.latencyMs(place);
  }
}

function taken(copy: Copy | null, version: number, confirmedAt: number, landedAt: number): Copy {
  return copy?.version === version ? { ...copy, confirmedAt } : { version, confirmedAt, landedAt };
}

function epochOf({ period }: ModelRun, generation: number): number {
  return Number.isFinite(period) ? Math.floor(generation / period) : 0;
}

function columnOf(run: ModelRun, index: number, generation: number, segment: number): string {
  return `${index}/${epochOf(run, generation)}/${segment}`;
}
