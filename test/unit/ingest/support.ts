import { gzipSync } from 'node:zlib';
import type { Detection } from '../../../src/format/attributes.ts';
import type { LineError } from '../../../src/format/batch.ts';
import { bodyEncoding } from '../../../src/ingest/decode.ts';
import { parseDetections } from '../../../src/ingest/parse.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';

/** 2025-06-01T12:00:00Z. */
export const NOW_MS = Date.UTC(2025, 5, 1, 12);
export const LABELS: ReadonlySet<string> = new Set(['modem_pool_card', 'public_sms_receiver', 'reported_abuse']);

/** A number of Ofcom's range for drama, 020 7946 0000 to 0999, as international digits. Never assigned to anyone. */
export function dramaNumber(index: number): string {
  return `4420794600${String(index % 100).padStart(2, '0')}`;
}

/** The bytes in pieces of `pieceBytes`. */
export function streamOf(body: string | Uint8Array, pieceBytes = 65_536): ReadableStream<Uint8Array> {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  });
}

export interface Outcome {
  readonly detections: readonly (readonly [line: number, detection: Detection])[];
  readonly rejects: readonly LineError[];
}

export interface Sent {
  readonly type?: string;
  readonly gzip?: boolean;
  readonly pieceBytes?: number;
}

/** Parses a whole body; with `gzip` it is compressed first. */
export async function parseBody(
  body: string | Uint8Array,
  { type = 'application/x-ndjson', gzip = false, pieceBytes }: Sent = {},
): Promise<Outcome> {
  const detections: [number, Detection][] = [];
  const rejects: LineError[] = [];
  const sent = gzip ? new Uint8Array(gzipSync(body)) : body;
  await parseDetections(
    streamOf(sent, pieceBytes),
    bodyEncoding(type, gzip ? 'gzip' : null),
    { nowMs: NOW_MS, labels: LABELS },
    {
      onDetection: (detection, line) => detections.push([line, detection]),
      onReject: (error) => rejects.push(error),
      onUnreadable: (error) => rejects.push(error),
    },
    UNPACED,
  );
  return { detections, rejects };
}

/** `line code` of each reject. */
export function codes(outcome: Outcome): string[] {
  return outcome.rejects.map((reject) => `${reject.line} ${reject.code}`);
}

export function lines(outcome: Outcome): number[] {
  return outcome.detections.map(([line]) => line);
}
