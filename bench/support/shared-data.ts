/** Real lists, read at run time and never committed: the shared history if it is there. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UsageError } from '../../scripts/command/errors.ts';
import type { Detection } from '../../src/format/attributes.ts';
import { parseNumber } from '../../src/phone/parse.ts';

/** Beside the project; not part of it, since the numbers are real. */
const DATA = resolve(import.meta.dirname, '../../../shared/data');
export const INVENTORY = resolve(DATA, 'inventory-2025-02-28.tsv.gz');
export const DETECTIONS = resolve(DATA, 'detections-2025-03-01_2025-08-31.tsv.gz');
export const hasSharedData = existsSync(INVENTORY) && existsSync(DETECTIONS);

/**
 * The files of a history that a command reads: those that its command line names, else the shared ones.
 * @throws UsageError if there are none
 */
export function historyFiles(named: readonly string[]): readonly string[] {
  if (named.length > 0) return named;
  if (hasSharedData) return [INVENTORY, DETECTIONS];
  throw new UsageError(`expected FILES: ${DATA} is not there. --help says what they hold`);
}

const ATTRIBUTES = {
  label: 'public_sms_receiver',
  channel: 'public_receiver',
  industry: null,
  project: null,
  link: null,
  source: null,
} as const;

/** The detection of a row, or null if its number is not valid. */
export function detectionOf(digits: string, first: string, last: string, sightings: number): Detection | null {
  const parsed = parseNumber(digits);
  if (!parsed.ok) return null;
  const [firstSeenAt, observedAt] = [first, last].map((time) => Date.parse(time) / 1000) as [number, number];
  return { number: parsed.value.number, observedAt, firstSeenAt, sightings, ...ATTRIBUTES };
}

export function rowsOf(path: string): string[][] {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split('\t'));
}

/** The inventory's aggregated lines and every detection after it, as the import sends them. */
export function sharedDetections(): Detection[] {
  return [
    ...rowsOf(INVENTORY).map(([digits = '', first = '', last = '', n]) => detectionOf(digits, first, last, Number(n))),
    ...rowsOf(DETECTIONS).map(([time = '', digits = '']) => detectionOf(digits, time, time, 1)),
  ].filter((each) => each !== null);
}
