/** GET /healthz: whether lookups can be answered. It needs no key, so that load balancers can ask. */
import * as v from 'valibot';
import { count } from '../lib/schema.ts';
import { HEALTH_PARTS, type Health } from '../lookup/health.ts';
import { json, type Route } from './route.ts';
import type { EdgeServices } from './services.ts';

export const healthAnswer = v.object({
  ok: v.boolean(),
  generation: v.pipe(v.nullable(count), v.description('null: nothing has been read yet')),
  ageSeconds: v.pipe(
    v.nullable(v.pipe(v.number(), v.minValue(0))),
    v.description('Since this isolate last confirmed that its snapshot is the newest'),
  ),
  failing: v.exactOptional(
    v.pipe(
      v.array(v.picklist(HEALTH_PARTS)),
      v.description('What is not available: a recent inventory, recent lookups, API keys, or policies'),
    ),
  ),
}) satisfies v.GenericSchema<Health>;

const HEALTH = { ok: true, generation: 1234, ageSeconds: 3 };

export function healthRoutes(services: Pick<EdgeServices, 'health'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      operationId: 'health',
      tag: 'State',
      summary: 'Whether lookups can be answered',
      scope: null,
      answers: [
        { status: 200, description: 'Lookups can be answered', json: { schema: healthAnswer, example: HEALTH } },
        {
          status: 503,
          description: 'Some or all lookups cannot be answered',
          json: { schema: healthAnswer, example: { ok: false, generation: 1234, ageSeconds: 3, failing: ['lookups'] } },
        },
      ],
      problems: [],
      handle: async () => {
        const health = await services.health();
        return json(health, health.ok ? 200 : 503);
      },
    },
  ];
}
