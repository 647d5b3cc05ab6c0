/** Whether lookups can be answered: for load balancers, without a key. */
import * as v from 'valibot';
import { json } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import type { EdgeServices } from '../http/services.ts';
import { HEALTH_PARTS, type Health } from '../serve/health.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

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
