/** A row of a file becomes a line to send, or a reject: the same checks that the server will make. */
import type { LineError } from '../../src/format/batch.ts';
import { FIELDS, isBlank } from '../../src/ingest/fields.ts';
import type { RawLine } from '../../src/ingest/reader.ts';
import { Rejection } from '../../src/ingest/rejection.ts';
import { DEFAULT_LABEL, validateLine } from '../../src/ingest/validate.ts';
import type { FileRow } from './file-rows.ts';
import { ImportError } from './import-error.ts';
import type { ServerLabels } from './server-labels.ts';

export interface LineContext {
  /** Name of the file. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `observedAt` of a line that has none; null if there is nothing to take it from. */
  readonly observedAt: string | null;
  readonly labels: ServerLabels;
}

export type Line =
  | { readonly json: string /** As the file has it. */; readonly undatedJson: string; readonly dated: boolean }
  | { readonly error: LineError };

/**
 * Depends on the row and `observedAt` alone, but for the check against the clock: run again, an import sends the same
 * lines, so that the server knows them again.
 * @throws ImportError if the line needs a date and there is none to give it, or the server cannot be asked of a label
 */
export async function lineOf(row: FileRow, context: LineContext): Promise<Line> {
  if ('error' in row) return { error: row.error };
  const dated = !isBlank(row.raw.observedAt);
  const raw = dated ? row.raw : { ...row.raw, observedAt: dateFor(row.line, context) };
  const label = labelOf(raw);
  if (label !== null && !context.labels.has(label)) await context.labels.learn(label);
  const checked = validateLine(raw, { nowMs: context.now(), labels: context.labels });
  if (checked instanceof Rejection) {
    const reason = checked.code === 'unknown-label' && label !== null ? context.labels.reason(label) : null;
    return { error: { line: row.line, code: checked.code, detail: reason ?? checked.detail } };
  }
  const undatedJson = jsonOf(row.raw);
  return { json: dated ? undatedJson : jsonOf(raw), undatedJson, dated };
}

function dateFor(line: number, { file, observedAt }: LineContext): string {
  if (observedAt !== null) return observedAt;
  throw new ImportError(
    `${file}: line ${line} has no observedAt, and the date of the file itself is no help: give --observed-at YYYY-MM-DD`,
  );
}

/** The label that the line will have; null if it is no text, which no server takes. */
function labelOf({ label }: RawLine): string | null {
  if (isBlank(label)) return DEFAULT_LABEL;
  return typeof label === 'string' ? label.trim() : null;
}

/** Fields in a fixed order and nothing else. */
export function jsonOf(raw: RawLine): string {
  const fields: Record<string, unknown> = {};
  for (const field of FIELDS) if (!isBlank(raw[field])) fields[field] = raw[field];
  return JSON.stringify(fields);
}
