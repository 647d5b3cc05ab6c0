/** A row of a file becomes a line to send, or a reject: the same checks that the server will make. */
import type { LineError } from '../../src/format/batch.ts';
import { FIELDS } from '../../src/ingest/fields.ts';
import { Rejection } from '../../src/ingest/rejection.ts';
import { type Labels, type ValidationContext, validateLine } from '../../src/ingest/validate.ts';
import type { FileRow } from './file-rows.ts';

/** Labels are the server's to know; it is asked about those given with --set before anything is sent. */
const ANY_LABEL: Labels = { has: () => true, [Symbol.iterator]: () => [][Symbol.iterator]() };

export interface LineContext {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** `observedAt` of a line that has none. */
  readonly observedAt: string;
}

export type Line =
  | { readonly json: string; readonly dated: boolean }
  | { readonly error: LineError };

/**
 * Depends on the row and `observedAt` alone, but for the check against the clock: run again, an import sends the same
 * bytes, so that the server knows them again.
 */
export function lineOf(row: FileRow, { nowMs, observedAt }: LineContext): Line {
  if ('error' in row) return { error: row.error };
  const dated = !isBlank(row.raw.observedAt);
  const raw = dated ? row.raw : { ...row.raw, observedAt };
  const context: ValidationContext = { nowMs, labels: ANY_LABEL };
  const checked = validateLine(raw, context);
  if (checked instanceof Rejection) {
    return { error: { line: row.line, code: checked.code, detail: checked.detail } };
  }
  const fields: Record<string, unknown> = {};
  for (const field of FIELDS) if (!isBlank(raw[field])) fields[field] = raw[field];
  return { json: JSON.stringify(fields), dated };
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}
