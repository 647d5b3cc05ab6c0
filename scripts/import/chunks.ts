import { Chunk } from './chunk.ts';
import { type FileSource, rowsOf } from './file-rows.ts';
import { type LineContext, lineOf } from './line.ts';

export interface ChunkRange {
  /** The first chunk begins at this row, counted from 0. */
  readonly fromRow: number;
  /** Some chunk ends before this row. */
  readonly cutAtRow: number;
  /** Rows of one chunk, accepted and rejected together, so that it has the same ones whatever becomes of them. */
  readonly maxRows: number;
}

/**
 * The rows of a file as chunks, one after the other.
 * @param onBytes told how many bytes of the file were read
 * @throws ImportError if the file cannot be read any further
 */
export async function* chunksOf(
  source: FileSource,
  { fromRow, cutAtRow, maxRows }: ChunkRange,
  context: LineContext,
  onBytes: (count: number) => void,
): AsyncGenerator<Chunk, void, undefined> {
  let at = 0;
  let chunk = new Chunk(fromRow, maxRows);
  for await (const rows of rowsOf(source, onBytes)) {
    for (const row of rows) {
      at += 1;
      if (at <= fromRow) continue;
      const line = await lineOf(row, context);
      if ('error' in line) {
        chunk.reject(line.error);
      } else {
        chunk.add(row.line, line.json);
        if (!line.dated) chunk.undated += 1;
      }
      if (chunk.isFull || at === cutAtRow) {
        yield chunk;
        chunk = new Chunk(at, maxRows);
      }
    }
  }
  if (chunk.rows > 0) yield chunk;
}
