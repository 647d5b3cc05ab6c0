/** How the service is: for load balancers, for operators, and for whoever opens its address. */
import * as v from 'valibot';
import { json } from './respond.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';
import { healthAnswer, statusAnswer } from './state-schema.ts';

const INDEX = { service: 'ringfence', health: '/healthz', openapi: '/openapi.json', docs: '/docs' };
const HEALTH = { ok: true, generation: 1234, ageSeconds: 3 };
const STATUS = {
  generation: 1234,
  publishedAt: '2025-05-29T08:13:00Z',
  inventory: { numbers: 125849, active: 120311, activeAsOf: '2025-05-29' },
  waiting: { batches: 1, detections: 250, atLeast: false },
  runs: [{ numbers: 125849, segments: 2, bytes: 1_480_224 }],
  retained: [{ generation: 1233, publishedAt: '2025-05-29T08:12:00Z' }],
  quarantine: { sources: 0, detections: 0 },
  setAside: { batches: 0, failed: 0 },
  lastTick: { at: '2025-05-29T08:13:00Z', batches: 1, detections: 500, newNumbers: 210, unreadable: 0 },
};

export function stateRoutes(services: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/',
      operationId: 'index',
      tag: 'State',
      summary: 'Where to go from here',
      scope: null,
      answers: [
        {
          status: 200,
          description: 'Paths',
          json: {
            schema: v.object({ service: v.string(), health: v.string(), openapi: v.string(), docs: v.string() }),
            example: INDEX,
          },
        },
      ],
      problems: [],
      handle: () => json(INDEX),
    },
    {
      method: 'GET',
      path: '/healthz',
      operationId: 'health',
      tag: 'State',
      summary: 'Whether lookups can be answered',
      scope: null,
      answers: [
        { status: 200, description: 'They can', json: { schema: healthAnswer, example: HEALTH } },
        {
          status: 503,
          description: 'They cannot',
          json: { schema: healthAnswer, example: { ok: false, generation: 1234, ageSeconds: 3, failing: ['lookups'] } },
        },
      ],
      problems: [],
      handle: async () => {
        const health = await services.health();
        return json(health, health.ok ? 200 : 503);
      },
    },
    {
      method: 'GET',
      path: '/v1/status',
      operationId: 'status',
      tag: 'State',
      summary: 'What is served, what waits, and what the last tick did',
      scope: 'lookup',
      answers: [{ status: 200, description: 'State', json: { schema: statusAnswer, example: STATUS } }],
      problems: ['storage-unavailable'],
      handle: async () => json(await services.status()),
    },
  ];
}
