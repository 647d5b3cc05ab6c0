import * as v from 'valibot';
import type { Status } from '../api/control-services.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const instant = v.pipe(v.string(), v.isoTimestamp());

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
  lastTick: v.object({
    at: v.nullable(instant),
    batches: count,
    detections: count,
    newNumbers: count,
    unreadable: count,
  }),
}) satisfies v.GenericSchema<Status>;
