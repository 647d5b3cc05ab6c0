/** Reads an upload line by line, in whichever format it is, and checks each line. */
import type { Detection } from '../format/attributes.ts';
import type { LineError } from '../format/batch.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { LineType } from '../phone/parse.ts';
import { BodyError, type BodyReader, LINE_ENDS_LOST, type LineReceiver, MAX_DETECTIONS, type RawLine } from './body.ts';
import { csvReader } from './csv.ts';
import { type BodyEncoding, type BodyFormat, decodedText } from './decode.ts';
import { jsonArrayReader, ndjsonReader } from './json.ts';
import { checkLine, Rejection, sourceOfLine, type ValidationContext } from './validate.ts';

export interface DetectionHandlers {
  /** @param raw as the body gave the line */
  onDetection(detection: Detection, line: number, lineType: LineType, raw: RawLine): void;
  /** A line that was read, and why it is not accepted. */
  onReject(error: LineError, source: string | null, rejection: Rejection): void;
  /** A line that could not be read, so that nobody knows its source. */
  onUnreadable(error: LineError): void;
  /** The names of the fields of a line, or of a header, ours or not. */
  onNames?(names: readonly string[]): void;
  /** Sees the body after content decoding, piece by piece. */
  onBytes?(bytes: Uint8Array): void;
}

/** Characters read at a time: some sixty lines, or four hundred of the shortest. */
const PIECE_CHARS = 4_096;
/** Reading and checking a line, some 10 us, in records of a merge. */
const LINE_WORK = 10;
/** A piece of text whatever is in it, such as blank lines or a part of a long one: some 100 us. */
const PIECE_WORK = 100;
/** Looking at the name of a field: some 3 us. */
const NAME_WORK = 3;

const READERS: Readonly<Record<BodyFormat, (receiver: LineReceiver) => BodyReader>> = {
  ndjson: ndjsonReader,
  json: jsonArrayReader,
  csv: csvReader,
};

const FORMAT_NAMES: Readonly<Record<BodyFormat, string>> = { ndjson: 'NDJSON', json: 'a JSON array', csv: 'CSV' };

/**
 * Reads an upload line by line, in order, holding no more than one line of it. Lines are 1-based; in CSV the header is
 * line 1 and a record is where it starts; in a JSON array they count elements.
 * @throws BodyError if the body as a whole cannot be taken, or has no line that can be read; what the handlers were
 *   given by then does not count
 */
export async function parseDetections(
  body: ReadableStream<Uint8Array>,
  encoding: BodyEncoding,
  context: ValidationContext,
  handlers: DetectionHandlers,
  pace: Pacer,
): Promise<void> {
  let lines = 0;
  let names = 0;
  let readable = 0;
  let firstUnread: LineError | null = null;
  const countLine = () => {
    lines += 1;
    if (lines > MAX_DETECTIONS) {
      throw new BodyError('payload-too-large', `expected at most ${MAX_DETECTIONS} detections; found more`);
    }
  };
  const reader = READERS[encoding.format]({
    header: (names) => handlers.onNames?.(names),
    raw(fields, line) {
      countLine();
      readable += 1;
      const given = Object.keys(fields);
      names += given.length;
      handlers.onNames?.(given);
      const checked = checkLine(fields, context);
      if (checked instanceof Rejection) {
        handlers.onReject({ line, code: checked.code, detail: checked.detail }, sourceOfLine(fields), checked);
      } else {
        handlers.onDetection(checked.detection, line, checked.lineType, fields);
      }
    },
    reject(error) {
      countLine();
      firstUnread ??= error;
      handlers.onUnreadable(error);
    },
  });
  const onBytes = handlers.onBytes?.bind(handlers);
  for await (const text of decodedText(body, { gzip: encoding.gzip, ...(onBytes && { onBytes }) })) {
    for (let at = 0; at < text.length; at += PIECE_CHARS) {
      const before = { lines, names };
      reader.push(text.slice(at, at + PIECE_CHARS));
      const work = PIECE_WORK + (lines - before.lines) * LINE_WORK + (names - before.names) * NAME_WORK;
      if (pace.count(work)) await pace.giveWay();
    }
  }
  reader.end();
  if (lines === 0)
    throw new BodyError('invalid-body', `expected at least one detection; found none (${LINE_ENDS_LOST})`);
  // As with another Content-Type than the body's. A receipt would be a success that has taken nothing.
  if (readable === 0 && firstUnread !== null) throw unreadable(encoding.format, lines, firstUnread);
}

function unreadable(format: BodyFormat, lines: number, { line, detail }: LineError): BodyError {
  const found = lines === 1 ? 'the only one cannot be read' : `none of ${lines} can be read`;
  return new BodyError('invalid-body', `expected lines of ${FORMAT_NAMES[format]}; ${found} (line ${line}: ${detail})`);
}
