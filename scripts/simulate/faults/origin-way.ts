/**
 * The way from a replica to its origin: to one isolate after the other, through caches that may answer a manifest with what
 * they had seconds ago, each its own.
 */
import type { Random } from '../../../bench/support/random.ts';
import type { Isolate } from './isolate.ts';
import { SimulatedFailure } from './storage.ts';

const NODES = 2;

export interface OriginWayDeps {
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
