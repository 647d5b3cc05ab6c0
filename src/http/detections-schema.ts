/** What an upload holds, for the OpenAPI document (src/ingest/validate.ts is what checks it), and its receipt. */
import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';
import { type Field, MAX_SHOWN_NAME_CHARS } from '../ingest/fields.ts';
import { MAX_IGNORED_FIELDS, MORE_IGNORED } from '../ingest/upload-notes.ts';
import { DEFAULT_CHANNEL, DEFAULT_LABEL, MAX_NAME_CHARS, MAX_SIGHTINGS } from '../ingest/validate.ts';

const name = v.pipe(v.string(), v.maxLength(MAX_NAME_CHARS));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const detectionLine = v.object({
  number: v.pipe(v.string(), v.description('Read like `number` of a lookup')),
  country: v.optional(
    v.pipe(v.string(), v.description('ISO 3166-1 alpha-2: the country of a number in national form')),
  ),
  observedAt: v.optional(v.pipe(v.string(), v.description('ISO 8601 date, or date-time with offset. Default: now'))),
  label: v.optional(v.pipe(v.string(), v.description(`A configured label. Default: ${DEFAULT_LABEL}, the mildest`))),
  channel: v.optional(v.picklist(CHANNELS), DEFAULT_CHANNEL),
  industry: v.optional(v.picklist(INDUSTRIES)),
  project: v.optional(name),
  link: v.optional(v.pipe(v.string(), v.description('http(s) URL. Only its host and its SHA-256 are stored'))),
  source: v.optional(name),
  firstSeen: v.optional(
    v.pipe(v.string(), v.description('The first observation of an aggregated line; not after `observedAt`')),
  ),
  sightings: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SIGHTINGS)), 1),
} satisfies Record<Field, v.GenericSchema>);

const REPLAY_STATES = ['waiting', 'merged', 'held', 'set-aside', 'withdrawn'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

export const receiptAnswer = v.object({
  batch: v.string(),
  accepted: count,
  rejected: count,
  errors: v.pipe(
    v.array(v.object({ line: count, code: v.string(), detail: v.string() })),
    v.description('The first 100; `line` counts from 1'),
  ),
  defaulted: v.optional(
    v.pipe(
      v.object({ label: count, channel: count, observedAt: count }),
      v.description(
        'How many accepted lines lacked the field and got its default. Absent, like `ignoredFields`, for uploads from ' +
          'before these were counted',
      ),
    ),
  ),
  ignoredFields: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.maxLength(MAX_SHOWN_NAME_CHARS))),
      v.maxLength(MAX_IGNORED_FIELDS + 1),
      v.description(
        `Fields that were ignored: the first ${MAX_IGNORED_FIELDS}, and "${MORE_IGNORED}" if there were more. Digits ` +
          'are shown as `#`. Of a name that is no plain identifier, only the shape is shown',
      ),
    ),
  ),
  state: v.exactOptional(
    v.pipe(
      v.picklist(REPLAY_STATES),
      v.description(
        'Present only if the upload was sent again. waiting: the next ticks will merge it. merged: it is in the inventory, ' +
          'except for rows that are held back. held: all of its rows are held back; only keys with the scope `admin` are ' +
          'told. set-aside, withdrawn: none of it is in the inventory, see `detail`',
      ),
    ),
  ),
  detail: v.exactOptional(
    v.pipe(v.string(), v.description('How to bring back an upload that is set aside or withdrawn')),
  ),
});
