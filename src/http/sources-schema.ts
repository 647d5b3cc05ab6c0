/** Messages start with "expected" and never repeat the value (validate.ts). */
import * as v from 'valibot';
import { MAX_NAME_CHARS } from '../ingest/validate.ts';
import { REASONS } from '../quality/bounds.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const instant = v.pipe(v.string(), v.isoTimestamp());
const source = v.pipe(v.nullable(v.string()), v.description('null stands for detections that name no source'));

const figures = {
  lines: v.pipe(count, v.description('Lines that named the source, rejected ones included')),
  accepted: v.pipe(count, v.description('Detections')),
  invalid: v.pipe(count, v.description('Rejected lines whose number is none, without the unassigned ones')),
  unassigned: v.pipe(count, v.description('Rejected lines whose number is in no assigned range')),
  fixedLine: v.pipe(count, v.description('Detections of fixed lines')),
  numbers: v.pipe(count, v.description('Numbers, distinct within an upload')),
  known: v.pipe(count, v.description('Those of these numbers that were on record before')),
};

export const sourceAnswer = v.object({
  source,
  tenant: v.pipe(
    v.exactOptional(v.string()),
    v.description('The tenant of the source; absent for uploads from before owners were stored'),
  ),
  key: v.pipe(v.exactOptional(v.string()), v.description('Id of the API key, of detections that name no source')),
  every: v.pipe(
    v.exactOptional(v.literal(true)),
    v.description(
      'Everything that the key uploads, whatever source it names: it has too many sources in quarantine to tell them apart',
    ),
  ),
  state: v.pipe(
    v.picklist(['accepted', 'quarantined', 'trusted']),
    v.description(
      'trusted: it was released, and is not judged again for the reasons of its quarantine until `trustedUntil`',
    ),
  ),
  since: v.pipe(v.nullable(instant), v.description('Since when it has the state; null: there was no decision')),
  reasons: v.array(v.picklist(REASONS)),
  trustedUntil: v.nullable(instant),
  by: v.pipe(v.nullable(v.string()), v.description('Id of the API key that released or dropped last')),
  held: v.pipe(count, v.description('Detections kept out of the inventory until it is released or dropped')),
  due: v.pipe(count, v.description('Released detections that the next ticks merge')),
  dropped: v.pipe(count, v.description('Detections that are never merged; their uploads are kept')),
  totals: v.object(figures),
  shares: v.pipe(
    v.object({ invalid: share, unassigned: share, fixedLine: share, known: share }),
    v.description(
      '`invalid` (with the unassigned) and `unassigned` as fractions of lines, `fixedLine` of detections, `known` of numbers',
    ),
  ),
  days: v.pipe(
    v.array(v.object({ day: v.pipe(v.string(), v.isoDate()), ...figures })),
    v.description('UTC days on which its uploads were merged or held, oldest first'),
  ),
});

export const sourcesAnswer = v.object({
  sources: v.pipe(v.array(sourceAnswer), v.description('Those in quarantine first, then those with the most lines')),
  setAside: v.pipe(
    v.array(v.object({ batch: v.string(), reason: v.string(), detail: v.nullable(v.string()), at: instant })),
    v.description('Uploads that no tick could merge, kept but not served; the last 100, the latest first'),
  ),
  bounds: v.pipe(
    v.record(v.string(), v.number()),
    v.description('The bounds that sources are judged by (docs/QUALITY.md)'),
  ),
});

const name = v.pipe(
  v.string('expected text'),
  v.maxLength(MAX_NAME_CHARS, `expected at most ${MAX_NAME_CHARS} characters`),
);

const WHICH = 'If several sources have this name: which of them, as in GET /v1/sources';

/** Strict, and `source` must be given: null is a source too, and must be meant. */
export const sourceRequest = v.strictObject({
  source: v.pipe(
    v.nullable(
      v.pipe(
        v.string('expected text or null'),
        v.maxLength(MAX_NAME_CHARS, `expected at most ${MAX_NAME_CHARS} characters`),
      ),
    ),
    v.description('The name of the source, as in GET /v1/sources'),
  ),
  tenant: v.exactOptional(v.pipe(name, v.description(WHICH))),
  key: v.exactOptional(v.pipe(name, v.description(WHICH))),
  every: v.exactOptional(v.pipe(v.boolean('expected true or false'), v.description(WHICH))),
});

export const decisionAnswer = v.object({
  generation: v.pipe(count, v.description('The generation that was made')),
  source: sourceAnswer,
});
