/** What a lookup takes and answers. Messages start with "expected" and never repeat the value (validate.ts). */

import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';
import { AS_OF, country, number, RECEIPT, scenario } from '../lookup/request.ts';
import { LINE_TYPES } from '../number/phone-number.ts';
import type { LookupAnswer } from '../policy/answer.ts';
import { MAX_LEVEL } from '../policy/labels.ts';
import { OVERRIDE_LISTS, OVERRIDE_SCOPES } from '../policy/overrides.ts';
import { ACTIONS, VERDICTS } from '../policy/policy.ts';
import { RECEIPT_VERSION } from '../policy/receipt.ts';
import { labelRisk, labelRisks, policySource } from '../policy/rules-schema.ts';

export const MAX_BATCH_NUMBERS = 1000;
const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const day = v.pipe(v.string(), v.isoDate());
const instant = v.pipe(v.string(), v.isoTimestamp());

export const lookupQuery = v.object({
  number,
  country: v.optional(country),
  scenario: v.optional(scenario),
  evidence: v.optional(v.picklist(['true', 'false'], 'expected true or false')),
  asOf: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(\d{1,15}|\d{4}-\d{2}-\d{2})$/, 'expected a date, YYYY-MM-DD, or a generation'),
      v.description(AS_OF),
    ),
  ),
  receipt: v.optional(v.pipe(v.picklist(['true', 'false'], 'expected true or false'), v.description(RECEIPT))),
});

/** An element that is no text is an error of that element, not of the batch. */
export const batchRequest = v.object({
  numbers: v.pipe(
    v.array(v.unknown(), 'expected a list of numbers as text'),
    v.maxLength(MAX_BATCH_NUMBERS, `expected at most ${MAX_BATCH_NUMBERS} numbers`),
    v.description('Each as `number` of a single lookup'),
  ),
  country: v.nullish(country),
  scenario: v.nullish(scenario),
  asOf: v.optional(v.null('expected none: a batch is of now, and single lookups are of earlier moments')),
});

export const evidenceAnswer = v.object({
  label: v.string(),
  channel: v.picklist(CHANNELS),
  industry: v.nullable(v.picklist(INDUSTRIES)),
  project: v.nullable(v.string()),
  link: v.nullable(v.object({ host: v.string(), sha256 })),
  source: v.nullable(v.string()),
  firstSeenAt: instant,
  lastSeenAt: instant,
  sightings: count,
});

export const lookupAnswer = v.object({
  number: v.pipe(v.string(), v.regex(/^\+[1-9][0-9]{0,14}$/), v.description('E.164')),
  country: v.nullable(v.string()),
  lineType: v.picklist([...Object.values(LINE_TYPES), 'unknown']),
  verdict: v.picklist(VERDICTS),
  level: v.nullable(v.pipe(count, v.maxValue(MAX_LEVEL))),
  labels: v.array(v.string()),
  channels: v.array(v.picklist(CHANNELS)),
  industries: v.array(v.picklist(INDUSTRIES)),
  firstSeen: v.nullable(day),
  lastSeen: v.nullable(day),
  sightings: v.pipe(
    v.nullable(count),
    v.description('The exact number of accepted detections; 9007199254740991 stands for that many or more'),
  ),
  neighbourhood: v.nullable(
    v.object({ hundred: count, thousand: count, score: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) }),
  ),
  action: v.nullable(v.picklist(ACTIONS)),
  rule: v.nullable(v.string()),
  generation: v.nullable(count),
  expired: v.exactOptional(
    v.pipe(v.literal(true), v.description("The number was listed, so long ago that it may be somebody else's by now")),
  ),
  override: v.exactOptional(
    v.object({ list: v.picklist(OVERRIDE_LISTS), scope: v.picklist(OVERRIDE_SCOPES), expiresAt: v.nullable(instant) }),
  ),
  shadow: v.exactOptional(v.array(v.string())),
  failed: v.exactOptional(v.array(v.string())),
  evidence: v.exactOptional(v.nullable(v.array(evidenceAnswer))),
  asOf: v.exactOptional(
    v.union([
      v.object({ date: day, complete: v.exactOptional(v.literal(false)) }),
      v.object({ generation: count, publishedAt: instant }),
    ]),
  ),
  receipt: v.exactOptional(
    v.object({
      version: v.literal(RECEIPT_VERSION),
      decidedAt: instant,
      commit: v.string(),
      segments: v.array(v.object({ key: v.string(), numbers: sha256, verdicts: sha256, evidence: sha256 })),
      scenario: v.nullable(v.string()),
      policy: policySource,
      levels: labelRisks,
      unknownLabel: labelRisk,
    }),
  ),
  stale: v.exactOptional(v.literal(true)),
  ageSeconds: v.exactOptional(count),
}) satisfies v.GenericSchema<LookupAnswer>;

export const batchError = v.object({
  input: v.pipe(v.unknown(), v.description('The element as it was sent')),
  error: v.object({ code: v.literal('invalid-number'), detail: v.string() }),
});

export const batchAnswer = v.object({
  results: v.pipe(v.array(v.union([lookupAnswer, batchError])), v.description('In the order of `numbers`')),
});
