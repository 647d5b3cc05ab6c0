/** What becomes of the rows of an input, in order. */
import type { LineError } from '../../src/format/batch.ts';

export interface RowSink {
  /** Times are seconds since 1970; `circumstances` is their text (src/format/circumstances.ts). */
  accept(
    number: number,
    observedAt: number,
    firstSeenAt: number,
    sightings: number,
    circumstances: CircumstancesRef,
  ): void;
  reject(error: LineError): void;
  /** Told of each accepted row that had no `observedAt` of its own. */
  undated(): void;
}

/** Circumstances, and where they were last put: so that the text is looked up once a batch, not once a row. */
export interface CircumstancesRef {
  readonly text: string;
  /** The batch and the id in it, as the sink left them. */
  batch: number;
  id: number;
}

export function circumstancesRef(text: string): CircumstancesRef {
  return { text, batch: -1, id: -1 };
}
