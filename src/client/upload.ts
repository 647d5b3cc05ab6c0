/** Uploads: the one call whose body need not be JSON, and which only its Idempotency-Key makes safe to repeat. */
import type { Detection } from './api-types.ts';
import type { Answer, Fixed } from './call.ts';
import { OPERATIONS } from './operations.ts';
import { checkHeaderText } from './options.ts';
import { type CallOptions, type Connection, type Parts, send } from './transport.ts';

export interface UploadOptions extends CallOptions {
  /** Makes retries safe: the same key and body are counted once and answered with the same receipt. */
  readonly idempotencyKey?: string | undefined;
  /** The type of a body that is no list: `application/x-ndjson` (the default), `application/json` or `text/csv`. */
  readonly contentType?: string | undefined;
  /** `gzip` if the body is. */
  readonly contentEncoding?: 'gzip' | undefined;
}

/**
 * A list that is not empty, or bytes or text that are sent as they are. A stream can be sent only once, so it is not
 * retried.
 */
export type UploadBody = readonly Fixed<Detection>[] | NonNullable<Parts['body']>;

const NDJSON = 'application/x-ndjson';
/** 32 MiB at 2 Mbit/s. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** @throws RingfenceError */
export async function upload(
  connection: Connection,
  detections: UploadBody,
  options: UploadOptions = {},
): Promise<Answer<'uploadDetections'>> {
  const { idempotencyKey, contentType = NDJSON, contentEncoding, ...call } = options;
  if (idempotencyKey !== undefined) checkHeaderText('idempotencyKey', idempotencyKey);
  const isList = isDetections(detections);
  const body = isList ? ndjson(detections) : detections;
  const headers = {
    'content-type': isList ? NDJSON : contentType,
    'content-encoding': contentEncoding,
    'idempotency-key': idempotencyKey,
  };
  const isSafe = idempotencyKey !== undefined && !(body instanceof ReadableStream);
  const answer = await send(connection, OPERATIONS.uploadDetections, { headers, body }, isSafe, {
    ...call,
    timeoutMs: call.timeoutMs ?? Math.max(connection.timeoutMs, UPLOAD_TIMEOUT_MS),
  });
  return answer as Answer<'uploadDetections'>;
}

function isDetections(body: UploadBody): body is readonly Fixed<Detection>[] {
  return Array.isArray(body);
}

/** One line for each detection, so that the line of a rejected one is its place in the list, counted from 1. */
function ndjson(detections: readonly Fixed<Detection>[]): string {
  return detections.map((detection) => `${JSON.stringify(detection)}\n`).join('');
}
