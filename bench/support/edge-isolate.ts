/** An isolate of the edge Worker, made as src/edge.ts makes it, on stores, timers and a clock of the laboratory's. */

import { policyTreeOf } from '../../src/policy/cel/compile.ts';
import { createEdge } from '../../src/wiring/edge.ts';
import { createIsolate, type Isolate, type Stores, WORKERS_PLATFORM } from '../../src/wiring/isolate.ts';

interface EdgePlatform {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Behind the answers. It never rejects. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface EdgeIsolate {
  readonly isolate: Isolate;
  /** @throws Error unless the answer has status 200 */
  get(path: string, token: string): Promise<unknown>;
}

/** All requests of the laboratory are the edge's. */
const NO_CONTROL = { fetch: () => new Response(null, { status: 404 }) };

export function startEdgeIsolate(stores: Stores, { now, sleep, waitUntil }: EdgePlatform): EdgeIsolate {
  const platform = {
    ...WORKERS_PLATFORM,
    now,
    sleep,
    log: (event: string, details: Readonly<Record<string, string | number>>) => {
      throw new Error(`${event} ${JSON.stringify(details)}`);
    },
  };
  const behind = (work: Promise<unknown>) => waitUntil(work.catch(() => undefined));
  const isolate = createIsolate(stores, {}, behind, async (source) => policyTreeOf(source), [], platform);
  const edge = createEdge(isolate, NO_CONTROL, null);
  return {
    isolate,
    async get(path, token) {
      const request = new Request(`https://ringfence.example${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const response = await edge.fetch(request);
      if (response.status !== 200) throw new Error(`a lookup was answered with status ${response.status}`);
      return response.json();
    },
  };
}
