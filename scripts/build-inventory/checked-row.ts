/**
 * The gate of the ingest for one row of a file: the same as for an upload. The fast way through it
 * (fast-csv-row.ts) is held against this one.
 */
import { circumstancesText } from '../../src/format/circumstances.ts';
import type { Detection } from '../../src/format/detection.ts';
import { isBlank } from '../../src/ingest/fields.ts';
import type { RawLine } from '../../src/ingest/reader.ts';
import { Rejection } from '../../src/ingest/rejection.ts';
import { type ValidationContext, validateLine } from '../../src/ingest/validate.ts';
import type { FileRow } from '../import/file-rows.ts';
import { circumstancesRef, type RowSink } from './row-sink.ts';

export interface RowContext extends ValidationContext {
  /** `observedAt` of rows without one, as the API takes it. */
  readonly observedAt: string;
}

/** Hands a row on, or says why not. Returns the detection if it was accepted. */
export function checkRow(row: FileRow, context: RowContext, sink: RowSink): Detection | null {
  if ('error' in row) {
    sink.reject(row.error);
    return null;
  }
  const isDated = !isBlank(row.raw.observedAt);
  const raw: RawLine = isDated ? row.raw : { ...row.raw, observedAt: context.observedAt };
  const checked = validateLine(raw, context);
  if (checked instanceof Rejection) {
    sink.reject({ line: row.line, code: checked.code, detail: checked.detail });
    return null;
  }
  const { number, observedAt, firstSeenAt, sightings } = checked;
  if (!isDated) sink.undated();
  sink.accept(number, observedAt, firstSeenAt, sightings, circumstancesRef(circumstancesText(checked)));
  return checked;
}
