/**
 * Isolates of both Workers and of a replica: the product's own parts, wired as in service, on the simulated platform.
 */

import type { TickBudget } from '../../../src/merge/context.ts';
import { policyTreeOf } from '../../../src/policy/cel/compile.ts';
import { createReplica, type Replica } from '../../../src/replica/replica.ts';
import { type Control, type ControlSettings, controlStores, createControl } from '../../../src/wiring/control.ts';
import { runCron } from '../../../src/wiring/crons.ts';
import { createEdge, type Edge } from '../../../src/wiring/edge.ts';
import { createIsolate, type Settings, type Stores } from '../../../src/wiring/isolate.ts';
import type { Random } from '../../support/random.ts';
import { Host } from './scheduler.ts';
import {
  type Bucket,
  type CallDeps,
  Calls,
  type ObjectRules,
  SimulatedFailure,
  type SimulatedKv,
  SimulatedObjects,
  SimulatedSlices,
} from './storage.ts';

export interface IsolateDeps extends CallDeps {
  readonly bucket: Bucket;
  readonly kv: SimulatedKv;
  readonly rules: ObjectRules;
  readonly settings: Settings & ControlSettings;
  readonly budget: TickBudget;
  onLog(host: Host, event: string, details: Readonly<Record<string, string | number>>): void;
}

export interface Born {
  readonly name: string;
  readonly place: string;
  readonly skewMs: number;
  readonly random: Random;
}

/** A request's answer as its client has it. */
export interface Answer {
  readonly status: number;
  readonly json: unknown;
  readonly headers: Headers;
}

/** The platform's waitUntil: what fails there fails alone. */
function waitUntil(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

export class Isolate extends Host {
  readonly edge: Edge;
  readonly control: Control;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly #deps: IsolateDeps;

  constructor(deps: IsolateDeps, { name, place, skewMs, random }: Born) {
    super(deps, name, place, skewMs);
    this.#deps = deps;
    const { bucket, kv, rules, settings, budget } = deps;
    const calls = new Calls(deps, this);
    const randomBytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));
    const platform = {
      now: () => this.now,
      random: () => random.next(),
      randomBytes,
      randomId: () => Buffer.from(randomBytes(16)).toString('hex'),
      sleep: (ms: number) => this.sleep(ms),
      // Between its calls of storage and clock an isolate does one thing at a time here, as if there were no long loop.
      turn: async () => undefined,
      log: (event: string, details: Readonly<Record<string, string | number>>) => deps.onLog(this, event, details),
    };
    const stores = { objects: new SimulatedObjects(calls, bucket, rules), slices: new SimulatedSlices(calls, kv) };
    // One isolate of each Worker, that have nothing in common but the machine.
    const newIsolate = (its: Stores) =>
      createIsolate(its, settings, waitUntil, async (source) => policyTreeOf(source), [], platform);
    this.control = createControl(newIsolate(controlStores(stores)), settings, budget);
    this.edge = createEdge(newIsolate(stores), this.control, null);
    // As src/edge.ts does.
    waitUntil(this.edge.warm());
    this.fetch = this.edge.fetch;
  }

  /** Null: no answer came in this time. The request goes on. */
  async request(request: Request, timeoutMs: number): Promise<Answer | null> {
    const answered = this.run(async () => {
      const response = await this.fetch(request);
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return {
        status: response.status,
        json: isJson ? (JSON.parse(text) as unknown) : text,
        headers: response.headers,
      };
    });
    return Promise.race([answered, this.#deps.scheduler.sleep(timeoutMs).then(() => null)]);
  }

  /** Null: it was stopped. */
  cron(cron: string): Promise<'done' | { readonly failure: string } | null> {
    return this.run(async () => {
      try {
        await runCron(cron, this.control);
        return 'done' as const;
      } catch (error) {
        // As the platform does.
        const failure = String(error);
        this.#deps.onLog(this, 'cron.failed', { reason: failure });
        return { failure };
      }
    });
  }
}

interface ReplicaSetup {
  readonly bucket: Bucket;
  /** Of the origin, of the scope `feed`. */
  readonly key: string;
  readonly slicesPerSync: number;
  /** Rejects when the origin is not reached. */
  fetch(request: Request): Promise<Response>;
}

export class ReplicaIsolate extends Host {
  readonly replica: Replica;

  constructor(deps: IsolateDeps, setup: ReplicaSetup, { name, place, skewMs, random }: Born) {
    super(deps, name, place, skewMs);
    this.replica = createReplica({
      url: 'https://ringfence.example',
      key: setup.key,
      store: new SimulatedObjects(new Calls(deps, this), setup.bucket, deps.rules),
      waitUntil,
      log: (event, details) => deps.onLog(this, event, details),
      slicesPerSync: setup.slicesPerSync,
      fetch: (request) => setup.fetch(request),
      now: () => this.now,
      delay: (ms) => this.sleep(ms),
      random: () => random.next(),
    });
  }
}

// The way from a replica to its origin: to one isolate after the other, through caches that may answer a manifest with
// what they had seconds ago, each its own.

const NODES = 2;

interface OriginWayDeps {
  /** How long a cache keeps a manifest, in milliseconds; 0: there is none on the way. */
  readonly cacheMs: number;
  /** Which cache each request comes by. */
  readonly random: Random;
  now(): number;
  isolateAt(turn: number): Pick<Isolate, 'run' | 'fetch'>;
  tell(line: string): void;
}

interface Kept {
  readonly etag: string;
  readonly bytes: ArrayBuffer;
  readonly askedAt: number;
}

export class OriginWay {
  readonly #deps: OriginWayDeps;
  readonly #kept = new Map<number, Kept>();
  #turns = 0;

  constructor(deps: OriginWayDeps) {
    this.#deps = deps;
  }

  /** Rejects when the origin is not reached. */
  async fetch(request: Request): Promise<Response> {
    const { cacheMs, random, now, isolateAt, tell } = this.#deps;
    const turn = this.#turns++;
    const isKept = cacheMs > 0 && request.url.endsWith('/manifest');
    const node = random.stream(String(turn)).below(NODES);
    const kept = this.#kept.get(node);
    if (isKept && kept !== undefined && now() - kept.askedAt < cacheMs) {
      tell(`a cache answers a replica with ${kept.etag}`);
      return request.headers.get('if-none-match') === kept.etag
        ? new Response(null, { status: 304, headers: { etag: kept.etag } })
        : new Response(kept.bytes, { headers: { etag: kept.etag } });
    }
    const askedAt = now();
    const isolate = isolateAt(turn);
    const response = await isolate.run(async () => isolate.fetch(request));
    if (response === null) throw new SimulatedFailure('simulated: the origin is gone');
    const etag = response.headers.get('etag');
    if (!isKept || response.status !== 200 || etag === null) return response;
    const bytes = await response.arrayBuffer();
    this.#kept.set(node, { etag, bytes, askedAt });
    return new Response(bytes, { headers: { etag } });
  }
}
