/**
 * Rows of the two kinds of file, tab-separated. An inventory has one row a number: digits, first seen, last seen,
 * sightings. A detection file has one a detection: time, digits. They are told apart by where the date stands.
 */

import { SECONDS_PER_DAY } from '../../src/format/records.ts';
import { parseInstant } from '../../src/ingest/instant.ts';

export type FileKind = 'inventory' | 'detections';

export const EXPECTED_COLUMNS =
  'tab-separated rows, either of an inventory (digits, first seen, last seen, sightings) or of detections (time, digits)';

export interface Row {
  readonly digits: string;
  /** UTC day since 1970. */
  readonly day: number;
}

/** null: neither. A first row of column names is neither as well. */
export function kindOf(line: string): FileKind | null {
  if (readDetection(line) !== null) return 'detections';
  return readInventory(line) !== null ? 'inventory' : null;
}

/** null: not a row of that kind. Whether the digits are a number is not asked here. */
export function readRow(kind: FileKind, line: string): Row | null {
  return kind === 'inventory' ? readInventory(line) : readDetection(line);
}

function readInventory(line: string): Row | null {
  const [digits, firstSeen] = line.split('\t', 2);
  return rowOf(digits, firstSeen);
}

function readDetection(line: string): Row | null {
  const [time, digits] = line.split('\t', 2);
  return rowOf(digits, time);
}

function rowOf(digits: string | undefined, time: string | undefined): Row | null {
  if (digits === undefined || time === undefined) return null;
  const seconds = parseInstant(time);
  return seconds === null ? null : { digits, day: Math.floor(seconds / SECONDS_PER_DAY) };
}
