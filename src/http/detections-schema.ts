/** What an upload holds, for the OpenAPI document (src/ingest/validate.ts is what checks it), and its receipt. */
import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';
import type { Field } from '../ingest/fields.ts';
import { DEFAULT_CHANNEL, DEFAULT_LABEL, MAX_NAME_CHARS, MAX_SIGHTINGS } from '../ingest/validate.ts';

const name = v.pipe(v.string(), v.maxLength(MAX_NAME_CHARS));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const detectionLine = v.object({
  number: v.pipe(v.string(), v.description('As `number` of a lookup')),
  country: v.optional(v.pipe(v.string(), v.description('ISO 3166-1 alpha-2: how a national number is dialled'))),
  observedAt: v.optional(v.pipe(v.string(), v.description('ISO 8601 date, or date-time with offset. Default: now'))),
  label: v.optional(v.pipe(v.string(), v.description(`A configured label. Default: ${DEFAULT_LABEL}`))),
  channel: v.optional(v.picklist(CHANNELS), DEFAULT_CHANNEL),
  industry: v.optional(v.picklist(INDUSTRIES)),
  project: v.optional(name),
  link: v.optional(v.pipe(v.string(), v.description('http(s) URL; kept as host and SHA-256, not in the clear'))),
  source: v.optional(name),
  firstSeen: v.optional(v.pipe(v.string(), v.description('Of an aggregated line, not after `observedAt`'))),
  sightings: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SIGHTINGS)), 1),
} satisfies Record<Field, v.GenericSchema>);

export const receiptAnswer = v.object({
  batch: v.string(),
  accepted: count,
  rejected: count,
  errors: v.pipe(
    v.array(v.object({ line: count, code: v.string(), detail: v.string() })),
    v.description('The first 100; `line` counts from 1'),
  ),
});
