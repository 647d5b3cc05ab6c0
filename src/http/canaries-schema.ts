/** Messages start with "expected" and never repeat the value (validate.ts). */
import * as v from 'valibot';
import { oneLine } from '../lib/one-line.ts';
import { number } from '../lookup/request.ts';

const MAX_NOTE_CHARS = 200;
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const instant = v.pipe(v.string(), v.isoTimestamp());

export const canaryRequest = v.strictObject({
  number,
  note: v.nullish(v.pipe(oneLine(MAX_NOTE_CHARS), v.description('Where it was planted, for instance'))),
});

export const canaryAnswer = v.object({
  number: v.string(),
  note: v.nullable(v.string()),
  author: v.pipe(v.string(), v.description('Id of the API key')),
  createdAt: instant,
  hits: v.pipe(
    v.object({
      detections: count,
      lastAt: v.nullable(instant),
      sources: v.array(v.nullable(v.string())),
    }),
    v.description('Detections of it in merged uploads, and the sources that reported them'),
  ),
});

export const canariesAnswer = v.object({ canaries: v.array(canaryAnswer) });
