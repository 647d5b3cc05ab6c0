/** How the service is: for operators, and for whoever opens its address. */
import * as v from 'valibot';
import type { ControlServices } from '../api/control-services.ts';
import { json } from './respond.ts';
import type { Route } from './route.ts';
import { statusAnswer } from './state-schema.ts';

const INDEX = { service: 'ringfence', health: '/healthz', openapi: '/openapi.json', docs: '/docs' };
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

export function stateRoutes(services: ControlServices): readonly Route[] {
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
