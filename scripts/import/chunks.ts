import { Chunk } from './chunk.ts';
import { type FileRow, type FileSource, type RowHooks, rowsOf } from './file-rows.ts';
import { jsonOf, type LineContext, lineOf } from './line.ts';
import { type LineSet, lineHash } from './line-set.ts';

export interface ChunkRange {
  /** The first chunk begins at this row, counted from 0. */
  readonly fromRow: number;
  /** Some chunk ends before this row. */
  readonly cutAtRow: number;
  /** Lines that an earlier import sent; they are left out. */
  readonly before: LineSet | null;
  /** Rows of one chunk, accepted and rejected together, so that it has the same ones whatever becomes of them. */
  readonly maxRows: number;
}

/**
 * The rows of a file as chunks, one after the other.
 * @throws ImportError if the file cannot be read any further
 */
export async function* chunksOf(
  source: FileSource,
  { fromRow, cutAtRow, maxRows, before }: ChunkRange,
  context: LineContext,
  hooks: RowHooks,
): AsyncGenerator<Chunk, void, undefined> {
  let at = 0;
  let chunk = new Chunk(fromRow, maxRows);
  for await (const rows of rowsOf(source, hooks)) {
    for (const row of rows) {
      at += 1;
      // Also of rows that are done, since a line may stand in the file more often than it was sent.
      const isSent = before !== null && 'raw' in row && before.take(lineHash(jsonOf(row.raw)));
      if (at <= fromRow) continue;
      if (isSent) chunk.skip();
      else await addLine(chunk, row, context);
      if (chunk.isFull || at === cutAtRow) {
        yield chunk;
        chunk = new Chunk(at, maxRows);
      }
    }
  }
  if (chunk.rows > 0) yield chunk;
}

async function addLine(chunk: Chunk, row: FileRow, context: LineContext): Promise<void> {
  const line = await lineOf(row, context);
  if ('error' in line) {
    chunk.reject(line.error);
    return;
  }
  chunk.add(row.line, line.json, lineHash(line.undatedJson));
  if (!line.dated) chunk.undated += 1;
}
