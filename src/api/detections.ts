/**
 * POST /v1/detections: the headers and the receipt of an upload, and its description for the OpenAPI document.
 * src/ingest reads and checks the body.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import { CHANNELS, INDUSTRIES, MAX_NAME_CHARS } from '../format/attributes.ts';
import { MAX_IGNORED_FIELDS, MORE_IGNORED } from '../ingest/accept.ts';
import { BodyError } from '../ingest/body.ts';
import { type Field, MAX_SHOWN_NAME_CHARS } from '../ingest/fields.ts';
import { DEFAULT_CHANNEL, DEFAULT_LABEL, MAX_SIGHTINGS, REJECT_REASONS } from '../ingest/validate.ts';
import { allows, type Principal } from '../keys/key.ts';
import { count } from '../lib/schema.ts';
import type { BatchState } from '../merge/batches.ts';
import { LISTED_EXAMPLE } from './lookup-docs.ts';
import { Problem } from './problem.ts';
import { json, type Route } from './route.ts';
import type { ControlServices } from './services.ts';

const name = v.pipe(v.string(), v.maxLength(MAX_NAME_CHARS));

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
type ReplayState = (typeof REPLAY_STATES)[number];

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

/** Enough characters for a UUID, a digest or a file name with a line range. */
const MAX_KEY_CHARS = 255;
const PRINTABLE = /^[\x20-\x7e]+$/;
const KEY_EXPECTED = `Idempotency-Key: expected 1 to ${MAX_KEY_CHARS} printable ASCII characters`;

const EXAMPLE = { number: LISTED_EXAMPLE.number, observedAt: '2025-05-29T08:12:00Z', channel: 'otp_marketplace' };

const RECEIPT_EXAMPLE = {
  ...{ batch: 'k-5f2b', accepted: 1, rejected: 0, errors: [] },
  ...{ defaulted: { label: 1, channel: 0, observedAt: 0 }, ignoredFields: ['comment'] },
};

export function detectionRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/detections',
      operationId: 'uploadDetections',
      tag: 'Detections',
      summary: 'Upload detections',
      description:
        'At most 100,000 detections or 32 MiB decoded, plain or with `Content-Encoding: gzip`. An upload is stored before ' +
        'it is acknowledged, and served after the next ticks. Other fields of a line are ignored, and named in the receipt. ' +
        'An upload without a line (empty, blank, a header alone, `[]`) is refused with `invalid-body`, as is one of which ' +
        'no line can be read, and one whose line ends were lost: send files with `curl --data-binary`, never with `-d`. ' +
        'Codes of rejected lines: ' +
        Object.entries(REJECT_REASONS)
          .map(([code, reason]) => `\`${code}\` (${reason})`)
          .join('; '),
      scope: 'ingest',
      parameters: [
        {
          in: 'header',
          name: 'Idempotency-Key',
          description: 'Makes a retry safe: the same key and body are counted once and answered with the same receipt',
          schema: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_KEY_CHARS)),
        },
      ],
      body: {
        'application/x-ndjson': { schema: v.string(), example: `${JSON.stringify(EXAMPLE)}\n` },
        'application/json': { schema: v.array(detectionLine), example: [EXAMPLE] },
        'text/csv': { schema: v.string(), example: `number,observedAt\n${EXAMPLE.number},${EXAMPLE.observedAt}\n` },
      },
      answers: [
        {
          status: 202,
          description:
            'The accepted detections are stored durably. With the header `Idempotent-Replayed: true`, an earlier upload ' +
            'with the same Idempotency-Key has stored them, and `state` says what has become of it',
          json: { schema: receiptAnswer, example: RECEIPT_EXAMPLE },
        },
      ],
      problems: [
        'invalid-body',
        'invalid-request',
        'idempotency-conflict',
        'payload-too-large',
        'unsupported-media-type',
        'storage-unavailable',
      ],
      handle: (context, principal) => upload(services, context, principal),
    },
  ];
}

/** StorageUnavailable of `accept` becomes a problem where all errors do (failureResponse in problem.ts). */
async function upload(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const idempotencyKey = checkedKey(req.header('idempotency-key'));
  const result = await services
    .accept({
      body: req.raw.body ?? emptyBody(),
      contentType: req.header('content-type') ?? null,
      contentEncoding: req.header('content-encoding') ?? null,
      tenant: principal.tenant,
      key: principal.id,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
    .catch((error: unknown) => {
      throw error instanceof BodyError ? new Problem(error.code, error.detail) : error;
    });
  if (result.kind === 'conflict') {
    throw new Problem('idempotency-conflict', 'expected the body that this Idempotency-Key was first used with');
  }
  const { accepted, rejected, errors, defaulted, ignoredFields } = result.receipt;
  const answer = { batch: result.batch, accepted, rejected, errors, defaulted, ignoredFields };
  if (!result.replayed) return json(answer, 202);
  const state = await services.batches.stateOf(result.batch, accepted, allows(principal, 'admin'));
  return json({ ...answer, ...replayState(result.batch, state) }, 202, { 'idempotent-replayed': 'true' });
}

/** The state of an upload that is sent again: "already stored" alone would hide that it may not be served. */
function replayState(batch: string, state: BatchState): { readonly state: ReplayState; readonly detail?: string } {
  if (state === 'set-aside') {
    const detail = `set aside, so none of it is in the inventory: POST /v1/batches/${batch}/release merges it (scope admin)`;
    return { state, detail };
  }
  if (state === 'withdrawing' || state === 'withdrawn') {
    const detail =
      'taken back by an admin, for good: to have it counted after all, send it with another Idempotency-Key';
    return { state: 'withdrawn', detail };
  }
  return { state };
}

function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || (key.length <= MAX_KEY_CHARS && PRINTABLE.test(key))) return key;
  throw new Problem('invalid-request', KEY_EXPECTED, { members: { field: 'Idempotency-Key' } });
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
