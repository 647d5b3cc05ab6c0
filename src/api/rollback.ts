/** POST /v1/rollback: back to a retained generation. */
import type { Context } from 'hono';
import * as v from 'valibot';
import type { Principal } from '../keys/key.ts';
import { count } from '../lib/schema.ts';
import { recordForAll } from './audit.ts';
import { Problem } from './problem.ts';
import { MAX_SMALL_BODY_BYTES, parse, readJson } from './request.ts';
import { json, type Route } from './route.ts';
import type { ControlServices } from './services.ts';

/** Unknown fields are refused: with a misspelt `requeue` the rollback would do something else. */
export const rollbackRequest = v.strictObject({
  generation: v.pipe(
    v.number('expected a number'),
    v.safeInteger('expected an integer'),
    v.minValue(0, 'expected no negative number'),
  ),
  requeue: v.pipe(
    v.optional(v.boolean('expected true or false'), false),
    v.description('Merge again what was merged since. Otherwise it is set aside: kept, but not served'),
  ),
});

export const rollbackAnswer = v.object({
  generation: v.pipe(count, v.description('The generation that was published')),
  restored: v.pipe(count, v.description('The generation whose inventory it has')),
  batches: v.pipe(
    v.array(v.string()),
    v.description('Batches merged since then, which are now set aside or waiting again'),
  ),
});

export function rollbackRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/rollback',
      operationId: 'rollback',
      tag: 'State',
      summary: 'Return to a retained generation',
      description:
        'Publishes a new generation with the inventory of an earlier one, of which GET /v1/status lists the retained ones. ' +
        'Batches withdrawn and rows dropped since stay so. To take back a single upload, withdraw it.',
      scope: 'admin',
      body: { 'application/json': { schema: rollbackRequest, example: { generation: 1233 } } },
      answers: [
        {
          status: 200,
          description: 'Published',
          json: { schema: rollbackAnswer, example: { generation: 1235, restored: 1233, batches: ['k-5f2b'] } },
        },
      ],
      problems: ['invalid-request', 'not-retained', 'payload-too-large', 'storage-unavailable'],
      handle: (context, principal) => rollback(services, context, principal),
    },
  ];
}

async function rollback(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const { generation, requeue } = parse(rollbackRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES));
  const result = await services.rollback(generation, { requeue, by: principal.id });
  if (result.kind === 'done') {
    const { restored } = result;
    await recordForAll(services, principal, { action: 'rollback', generation: result.generation, restored, requeue });
    return json({ generation: result.generation, restored: result.restored, batches: result.batches });
  }
  const retained = result.retained.length === 0 ? 'none' : result.retained.join(', ');
  throw new Problem('not-retained', `expected one of the retained generations: ${retained}`, {
    members: { retained: result.retained },
  });
}
