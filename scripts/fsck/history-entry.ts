/**
 * One object of the history, read whole. The product reads them for a rollback only (src/merge/history.ts, which
 * describes the format and writes it) and has no use for a reader of a single one.
 */
import * as v from 'valibot';
import { type Bytes, FormatError, openFrame } from '../../src/format/frame.ts';
import { decodeText, parseJson } from '../../src/format/text.ts';

const MAGIC = 'RFHI';
const VERSION = 1;

const schema = v.object({
  generation: v.number(),
  commit: v.string(),
  parent: v.nullable(v.string()),
  batches: v.array(v.string()),
  replayed: v.array(v.string()),
});

export type HistoryEntry = Readonly<v.InferOutput<typeof schema>>;

/** @throws FormatError unless the bytes are an object of the history */
export function decodeHistoryEntry(bytes: Bytes): HistoryEntry {
  const parsed = v.safeParse(schema, parseJson(decodeText(openFrame(bytes, MAGIC, VERSION), MAGIC), MAGIC));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new FormatError(`${MAGIC}: ${v.getDotPath(issue) ?? 'body'}: ${issue.message}`);
}
