/** One seed's world: stores, isolates, weather and model, and the first promise that was broken in it. */

import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { Random } from '../../support/random.ts';
import { Cities, cityClimateOf } from './city.ts';
import { MOST_IN_BLOCK, numberIn } from './feeds.ts';
import { type Answer, type Born, Isolate, type IsolateDeps, OriginWay, ReplicaIsolate } from './isolate.ts';
import { Configuration } from './model/configuration.ts';
import { checkPointers } from './model/decode.ts';
import { LABEL_SETTING } from './model/detections.ts';
import { MIN_LINES } from './model/judge.ts';
import { Model } from './model/model.ts';
import type { Plan } from './plan.ts';
import { type Floor, type Host, Scheduler } from './scheduler.ts';
import { Bucket, type Entry, SimulatedKv } from './storage.ts';
import { climateOf, Weather } from './weather.ts';

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
  readonly atMs: number;
}

/** As somebody sends it. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly key: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request and what came of it. */
export interface Exchange {
  readonly isolate: Isolate;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly answer: Answer;
  /** What the isolate had shown before it was asked. */
  readonly floor: Floor;
}

export const ADMIN_KEY = 'admin-key-of-the-simulation-0123456789';
const PLACES = ['one', 'two'];
/** The platform stops what takes longer. */
const WALL_LIMIT_MS = 15 * 60_000;
/** Every generation of the last hour is retained, by the clock of who published it. */
const RETAINED_MS = 55 * 60_000;
const COLLECTED = ['segments/', 'facts/', 'ledgers/', 'set-aside/', 'withdrawals/', 'history/'];
const CLIENT_PATIENCE_MS = 100_000;
/** A failed look at storage is remembered for a while by whoever has to say "unavailable". */
const TROUBLE_REMEMBERED_MS = 20_000;
/** Health looks back on the lookups of this minute and the one before. */
const HEALTH_REMEMBERS_MS = 120_000;

/** The shares are the product's defaults, judged from few lines on; jumps and the lack of overlap are not simulated. */
const BOUNDS = { minLines: MIN_LINES, jumpDetections: 1_000_000, minNumbers: 1_000_000 };

interface WorldOptions {
  readonly seed: number;
  readonly plan: Plan;
  readonly suppressed: ReadonlySet<string>;
}

export class World {
  readonly seed: number;
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly bucket: Bucket;
  readonly kv: SimulatedKv;
  readonly replicaBucket: Bucket;
  /** Whose rules the replica follows, and the key that it follows with. */
  replicaTenant = '';
  replicaKey = '';
  readonly model: Model;
  readonly configuration: Configuration;
  readonly trace: string[] = [];
  readonly deps: IsolateDeps;
  /** Whether what is older than two minutes answers all the same, and says so. */
  readonly servesStale: boolean;
  violation: Violation | null = null;
  /** Nothing of the seed is worth looking at any more. */
  isOver = false;
  /** Cron handlers under way. */
  ticking = 0;
  checkedAnswers = 0;
  readonly #storms: ReadonlyMap<number, number>;
  readonly #slots: (Isolate | null)[];
  readonly #replicas: ReplicaIsolate[] = [];
  readonly #slicesPerSync: number;
  #isolates = 0;
  readonly #originWay: OriginWay;

  constructor({ seed, plan, suppressed }: WorldOptions) {
    this.seed = seed;
    this.plan = plan;
    this.random = new Random(seed);
    this.scheduler = new Scheduler(plan.startMs);
    const now = () => this.scheduler.now;
    this.weather = new Weather(seed, climateOf(seed, plan.weather), suppressed);
    const onBroken = (invariant: string, detail: string) => this.broken(invariant, detail);
    const read = (key: string) => this.bucket.get(key)?.bytes ?? null;
    this.bucket = new Bucket(now, { onPut: (entry) => this.#onPut(entry), onBroken });
    this.replicaBucket = new Bucket(now, { onPut: (entry, before) => this.#onReplicaPut(entry, before), onBroken });
    this.kv = new SimulatedKv(seed, now, this.weather.climate.kvStaleMs);
    this.configuration = new Configuration({ now, read, onBroken });
    this.model = new Model({ onBroken, now, read, configuration: this.configuration });
    this.#originWay = new OriginWay({
      cacheMs: this.weather.climate.originCacheMs,
      random: this.random.stream('origin'),
      now,
      isolateAt: (turn) => this.isolateAt(turn),
      tell: (line) => this.tell(line),
    });
    this.#storms = new Map(plan.steps.map(({ index, storm }) => [index, storm]));
    this.#slots = Array.from({ length: plan.isolates }, () => null);
    const random = this.random.stream('budget');
    const pick = <T>(values: readonly T[]) => random.pick(values);
    this.#slicesPerSync = pick([1, 3, 1000]);
    this.servesStale = random.chance(0.3);
    const cityRandom = this.random.stream('cities');
    const cityClimate = cityClimateOf(cityRandom, plan.hasCities);
    const tell = (line: string) => this.tell(line);
    this.deps = {
      scheduler: this.scheduler,
      weather: this.weather,
      bucket: this.bucket,
      kv: this.kv,
      cities: cityClimate && new Cities(this.scheduler, cityClimate, cityRandom, tell),
      stormOf: (action) => this.#storms.get(action) ?? 0,
      trace: tell,
      rules: {
        isKeyRateLimited: this.weather.climate.isKeyRateLimited,
        onConfirmed: (host) => {
          host.confirmedAt = this.now;
        },
        onDeletedRead: (host, key, action) => this.#onDeletedRead(host, key, action),
      },
      settings: {
        RINGFENCE_ADMIN_KEY: ADMIN_KEY,
        RINGFENCE_LABELS: LABEL_SETTING,
        RINGFENCE_QUALITY: JSON.stringify(BOUNDS),
        RINGFENCE_STALE: this.servesStale ? 'serve' : 'unknown',
      },
      budget: {
        ...DEFAULT_BUDGET,
        batches: pick([1, 2, 5, 500]),
        inlineRecords: pick([1, 10, 40, DEFAULT_BUDGET.inlineRecords]),
        compactionSegments: pick([1, 2, 80]),
        activityObjects: pick([2, 3, 8]),
        withdrawalBatches: pick([1, 2, DEFAULT_BUDGET.withdrawalBatches]),
        segmentRecords: pick([MOST_IN_BLOCK + 1, 10, 20, DEFAULT_BUDGET.segmentRecords]),
        smallRun: pick([1, 4, 12, DEFAULT_BUDGET.smallRun]),
        historyGenerations: pick([1, 2, 5, DEFAULT_BUDGET.historyGenerations]),
      },
      onLog: (host, event, details) => this.#onLog(host, event, details),
    };
  }

  get now(): number {
    return this.scheduler.now;
  }

  get figures() {
    const { batches, generations } = this.model;
    const faults = this.weather.happened.size;
    return {
      uploads: batches.size,
      generations: generations.length - 1,
      checkedAnswers: this.checkedAnswers,
      faults,
      calls: this.weather.calls,
    };
  }

  tell(line: string): void {
    this.trace.push(`${Math.floor(this.now - this.plan.startMs)} ${line}`);
  }

  /** The first promise that is broken ends the seed. */
  broken(invariant: string, detail: string): void {
    if (this.isOver) return;
    this.tell(`BROKEN ${invariant}: ${detail}`);
    this.isOver = true;
    this.violation = { invariant, detail, atMs: this.now - this.plan.startMs };
    this.scheduler.stop();
  }

  /** A serving isolate: the one of this slot, or a new one if that is gone. */
  isolateAt(slot: number): Isolate {
    const at = slot % this.#slots.length;
    const known = this.#slots[at];
    if (known?.isAlive) return known;
    const isolate = this.newIsolate();
    this.#slots[at] = isolate;
    return isolate;
  }

  anyIsolate(random: Random): Isolate {
    return this.isolateAt(random.below(this.#slots.length));
  }

  newIsolate(): Isolate {
    return new Isolate(this.deps, this.#born());
  }

  /** An isolate that answers from the replica: that of this slot, or a new one if it is gone. */
  replicaIsolate(slot: number): ReplicaIsolate {
    const known = this.#replicas[slot];
    if (known?.isAlive) return known;
    const isolate = this.newReplicaIsolate();
    this.#replicas[slot] = isolate;
    return isolate;
  }

  newReplicaIsolate(): ReplicaIsolate {
    const setup = {
      bucket: this.replicaBucket,
      key: this.replicaKey,
      slicesPerSync: this.#slicesPerSync,
      fetch: (request: Request) => this.#originWay.fetch(request),
    };
    return new ReplicaIsolate(this.deps, setup, this.#born());
  }

  #born(): Born {
    const name = `i${this.#isolates++}`;
    const random = this.random.stream(name);
    const place = random.pick(PLACES);
    return { name, place, skewMs: random.below(1001) - 500, random };
  }

  /** Null: there was no answer. Answers that nobody may ever get are broken promises. */
  async send(isolate: Isolate, { method, path, key, body, headers }: Sent): Promise<Exchange | null> {
    const sentAt = this.now;
    const { floor } = isolate;
    const init = { method, headers: { authorization: `Bearer ${key}`, ...headers } };
    const request = new Request(`https://ringfence.example${path}`, body === undefined ? init : { ...init, body });
    const route = `${method} ${path.split('?')[0]}`;
    const done = this.limit(isolate, route);
    const answer = await isolate.request(request, CLIENT_PATIENCE_MS);
    if (answer !== null) done();
    this.tell(`${isolate.name} ${route} -> ${answer?.status ?? 'no answer'}`);
    if (answer === null) return null;
    const exchange = { isolate, sentAt, answeredAt: this.now, answer, floor };
    if (answer.status >= 500 && answer.status !== 503) {
      this.broken('no request fails for a fault of ours', `${route} -> ${answer.status}`);
    }
    const rememberedMs = path === '/healthz' ? HEALTH_REMEMBERS_MS : TROUBLE_REMEMBERED_MS;
    if (answer.status === 503 && !isBusyAllowed(path) && isolate.isCalmSince(sentAt - rememberedMs)) {
      this.broken('unavailable only while storage fails', `${route}: ${JSON.stringify(answer.json)}`);
    }
    return exchange;
  }

  /**
   * Whoever has seen the manifest within the last hour, less a margin, finds all that it leads to. A generation that
   * was asked for by its number may go while it is looked at.
   */
  #onDeletedRead(host: Host, key: string, action: number): void {
    this.tell(`${host.name} reads ${key}, which was deleted`);
    const kind = this.plan.steps[action]?.kind;
    // A copy may go while it is looked at; a part of one that is in use may not.
    const isCollected = key.includes('#') || COLLECTED.some((prefix) => key.startsWith(prefix));
    if (kind === 'asOfGeneration' || kind === 'rollback' || !isCollected) return;
    if (this.now - host.confirmedAt < RETAINED_MS) this.broken('no deleted object is read', `${host.name}: ${key}`);
  }

  /** Stops what goes on for longer than the platform lets it. */
  limit(host: Host, what: string): () => void {
    let isDone = false;
    const startedAt = this.now;
    this.scheduler.after(WALL_LIMIT_MS, () => {
      if (isDone || !host.isAlive) return;
      if (host.isCalmSince(startedAt))
        this.broken('work comes to an end while storage works', `${what} in ${host.name}`);
      host.evict();
    });
    return () => {
      isDone = true;
    };
  }

  #onPut(entry: Entry): void {
    try {
      this.#note(entry);
    } catch (error) {
      // Whoever has put it must not be told that it failed.
      this.broken('the model can read what is stored', error instanceof Error ? (error.stack ?? '') : String(error));
    }
  }

  #onReplicaPut(entry: Entry, before: Entry | undefined): void {
    if (entry.key === 'current' && before !== undefined)
      checkPointers(before.bytes, entry.bytes, (invariant, detail) => this.broken(invariant, detail));
  }

  #note({ key, bytes }: Entry): void {
    if (key === 'manifest') this.model.onManifest(bytes);
    else if (key.startsWith('batches/waiting/')) this.model.onBatch(key.slice('batches/waiting/'.length), bytes);
    else this.configuration.onPut(key, bytes);
  }

  #onLog(host: Host, event: string, details: Readonly<Record<string, string | number>>): void {
    const line = JSON.stringify({ event, ...details });
    this.tell(`${host.name} log ${line}`);
    const number = numberIn(line);
    if (number !== null) this.broken('no number in any log line', line);
  }
}

/** One at a time, whatever the weather. */
function isBusyAllowed(path: string): boolean {
  return path.startsWith('/v1/briefings/');
}
