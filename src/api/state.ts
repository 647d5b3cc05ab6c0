/** GET /v1/status for operators, and GET / for whoever opens the address: the state of the service. */
import * as v from 'valibot';
import { activeOn, type Census } from '../briefing/census.ts';
import { count, instant } from '../lib/schema.ts';
import { dayOfMs, isoDay } from '../lib/time.ts';
import type { StoreStatus } from '../merge/status.ts';
import { NUMBER_PLAN } from '../phone/plan.ts';
import { numberPlanVersion } from './edge-docs.ts';
import { json, type Route } from './route.ts';
import type { ControlServices, Status } from './services.ts';

export const statusAnswer = v.object({
  generation: count,
  publishedAt: v.nullable(instant),
  inventory: v.object({
    numbers: count,
    active: v.pipe(count, v.description('Numbers that have not aged out')),
    activeAsOf: v.pipe(
      v.nullable(v.pipe(v.string(), v.isoDate())),
      v.description(
        'Date of the daily census that `active` is computed from; null: none was taken yet, and all numbers count as active',
      ),
    ),
  }),
  waiting: v.pipe(
    v.object({
      batches: count,
      detections: count,
      atLeast: v.pipe(v.boolean(), v.description('Whether there are more than were counted')),
    }),
    v.description('Uploads that are accepted and not yet merged'),
  ),
  runs: v.pipe(v.array(v.object({ numbers: count, segments: count, bytes: count })), v.description('Newest first')),
  retained: v.pipe(
    v.array(v.object({ generation: count, publishedAt: instant })),
    v.description('Generations that a rollback can return to, oldest first'),
  ),
  quarantine: v.pipe(
    v.object({ sources: count, detections: count }),
    v.description('Sources, and their detections that are held back until an admin releases or drops them'),
  ),
  setAside: v.pipe(
    v.object({ batches: count, failed: v.pipe(count, v.description('Those that no tick could merge')) }),
    v.description(
      'Batches that are kept out of the inventory as a whole, by rollbacks or since they could not be merged',
    ),
  ),
  numberPlan: v.pipe(
    numberPlanVersion,
    v.description('What uploads are read with. `GET /healthz` tells what lookups are read with'),
  ),
  lastTick: v.pipe(
    v.object({
      at: v.nullable(instant),
      batches: count,
      detections: count,
      newNumbers: count,
      unreadable: count,
    }),
    v.description('The last tick that took up uploads. Ticks that find none waiting leave it as it is'),
  ),
}) satisfies v.GenericSchema<Status>;

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
  numberPlan: NUMBER_PLAN,
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
      summary: 'What is served, what waits, and what the last tick that took up uploads did',
      scope: 'lookup',
      answers: [{ status: 200, description: 'State', json: { schema: statusAnswer, example: STATUS } }],
      problems: ['storage-unavailable'],
      handle: async () => json(await services.status()),
    },
  ];
}

/** @param nowMs since 1970 */
export function statusOf(
  { manifest, numbers, runs, waiting, quarantine, setAside }: StoreStatus,
  census: Census | null,
  nowMs: number,
): Status {
  const iso = (ms: number) => new Date(ms).toISOString();
  const { at, ...counts } = manifest.lastTick;
  return {
    generation: manifest.generation,
    publishedAt: manifest.generation === 0 ? null : iso(manifest.publishedAt),
    inventory: {
      numbers,
      active: census === null ? numbers : activeOn(census, dayOfMs(nowMs), numbers),
      activeAsOf: census === null ? null : isoDay(census.day),
    },
    waiting,
    runs,
    retained: manifest.retained.map(({ generation, publishedAt }) => ({ generation, publishedAt: iso(publishedAt) })),
    quarantine,
    setAside,
    numberPlan: NUMBER_PLAN,
    lastTick: { at: at === 0 ? null : iso(at), ...counts },
  };
}
