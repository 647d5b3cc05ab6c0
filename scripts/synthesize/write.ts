/** Writes the two files. A file that an interruption left behind is incomplete; the next run writes it anew. */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDay } from '../../src/ingest/instant.ts';
import { CaptureWalk } from './captures.ts';
import { CIRCUMSTANCES } from './circumstances.ts';
import { CsvBuffer } from './csv-buffer.ts';
import { FORTNIGHT_START_SECONDS, HISTORY_DAYS, HISTORY_START_SECONDS } from './facts.ts';
import { planFortnight } from './fortnight.ts';
import { InventoryWalk } from './inventory.ts';
import { type Layout, planInventory } from './layout.ts';
import { mobileRanges } from './ranges.ts';
import type { SynthesisOptions } from './synthesis-options.ts';
import { FORTNIGHT_DAYS } from './times.ts';

export type SyntheticFile = 'inventory' | 'fortnight';
export const SYNTHETIC_FILES: readonly SyntheticFile[] = ['inventory', 'fortnight'];

export type OnProgress = (file: SyntheticFile, rows: number, totalRows: number) => void;

export interface WrittenFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

const DAY_SECONDS = 86_400;
const INVENTORY_HEADER = 'number,firstSeen,observedAt,sightings,label,channel,industry,project,source\n';
const FORTNIGHT_HEADER = 'number,observedAt,label,channel,industry,project,source,link\n';

const encoder = new TextEncoder();
/** `,YYYY-MM-DD` for each of so many days. */
const dayTexts = (startSeconds: number, days: number): Uint8Array[] =>
  Array.from({ length: days }, (_, day) => encoder.encode(`,${formatDay(startSeconds + day * DAY_SECONDS)}`));
const HISTORY_TEXTS = dayTexts(HISTORY_START_SECONDS, HISTORY_DAYS);
const FORTNIGHT_TEXTS = dayTexts(FORTNIGHT_START_SECONDS, FORTNIGHT_DAYS);
/** By hour or minute or second: two digits. */
const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
/** `,label,channel,industry,project,source` of each of CIRCUMSTANCES. None of the names needs quotes. */
const CIRCUMSTANCES_TEXTS = CIRCUMSTANCES.map(({ label, channel, industry, project, source }) =>
  encoder.encode(`,${label},${channel},${industry},${project ?? ''},${source}`),
);
const EMPTY = new Uint8Array();

/**
 * @param files which of the two to write
 * @throws SynthesisError if the number plans have no room for it
 */
export async function writeSynthetic(
  options: SynthesisOptions,
  folder: string,
  onProgress: OnProgress = () => {},
  files: readonly SyntheticFile[] = SYNTHETIC_FILES,
): Promise<WrittenFile[]> {
  const layout = planInventory(options, mobileRanges());
  await mkdir(folder, { recursive: true });
  const written: WrittenFile[] = [];
  for (const file of files) {
    const total = file === 'inventory' ? options.numbers : options.captured;
    const path = join(folder, `${file}.csv`);
    const handle = await open(path, 'w');
    try {
      const csv = new CsvBuffer(handle);
      const report = (rows: number): void => onProgress(file, rows, total);
      if (file === 'inventory') await writeInventory(layout, csv, report);
      else await writeFortnight(layout, options, csv, report);
      written.push({ path, rows: total, bytes: csv.writtenBytes });
    } finally {
      await handle.close();
    }
  }
  return written;
}

async function writeInventory(layout: Layout, csv: CsvBuffer, report: (rows: number) => void): Promise<void> {
  const walk = new InventoryWalk(layout);
  const { facts } = walk;
  let rows = 0;
  csv.addText(INVENTORY_HEADER);
  for (; walk.next(); rows++) {
    if (csv.isFull) {
      await csv.flush();
      report(rows);
    }
    csv.addNumber(walk.number);
    csv.addBytes(HISTORY_TEXTS[facts.firstDay] ?? EMPTY);
    csv.addBytes(HISTORY_TEXTS[facts.lastDay] ?? EMPTY);
    csv.addText(',');
    csv.addInteger(facts.sightings);
    csv.addBytes(CIRCUMSTANCES_TEXTS[facts.circumstances] ?? EMPTY);
    csv.addText('\n');
  }
  await csv.flush();
  report(rows);
}

async function writeFortnight(
  layout: Layout,
  options: SynthesisOptions,
  csv: CsvBuffer,
  report: (rows: number) => void,
): Promise<void> {
  const walk = new CaptureWalk(planFortnight(layout, options), options.seed);
  let rows = 0;
  csv.addText(FORTNIGHT_HEADER);
  for (; walk.next(); rows++) {
    if (csv.isFull) {
      await csv.flush();
      report(rows);
    }
    csv.addNumber(walk.number);
    addInstant(csv, walk.seconds);
    csv.addBytes(CIRCUMSTANCES_TEXTS[walk.circumstances] ?? EMPTY);
    csv.addText(',');
    if (walk.link !== null) csv.addText(walk.link);
    csv.addText('\n');
  }
  await csv.flush();
  report(rows);
}

function addInstant(csv: CsvBuffer, seconds: number): void {
  const ofDay = seconds % DAY_SECONDS;
  csv.addBytes(FORTNIGHT_TEXTS[Math.floor(seconds / DAY_SECONDS)] ?? EMPTY);
  csv.addText('T');
  csv.addText(TWO_DIGITS[Math.floor(ofDay / 3600)] ?? '');
  csv.addText(':');
  csv.addText(TWO_DIGITS[Math.floor(ofDay / 60) % 60] ?? '');
  csv.addText(':');
  csv.addText(TWO_DIGITS[ofDay % 60] ?? '');
  csv.addText('Z');
}
