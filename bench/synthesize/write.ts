/** Writes the two files. A file that an interruption left behind is incomplete; the next run writes it anew. */

import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDay } from '../../src/lib/time.ts';
import { CaptureWalk, FORTNIGHT_DAYS, planFortnight } from './fortnight.ts';
import {
  ATTRIBUTES,
  FORTNIGHT_START_SECONDS,
  HISTORY_DAYS,
  HISTORY_START_SECONDS,
  InventoryWalk,
} from './inventory.ts';
import { type Layout, planInventory, type SynthesisOptions } from './layout.ts';
import { mobileRanges } from './number-ranges.ts';

const DAY_SECONDS = 86_400;

// CSV text as bytes in one reused buffer: strings would cost more than all the drawing of numbers.

const BUFFER_BYTES = 4 * 2 ** 20;
/** The longest row: 15 digits, dates, names and a link take less than 250. */
const MAX_ROW_BYTES = 512;
const DIGIT_ZERO = 0x30;
/** Split in two, numbers divide as 32-bit integers. */
const LOW_PART = 10 ** 8;
const LOW_DIGITS = 8;

class CsvBuffer {
  readonly #file: FileHandle;
  readonly #bytes = new Uint8Array(BUFFER_BYTES);
  #length = 0;
  writtenBytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Whether a row more might not fit: flush before it. */
  get isFull(): boolean {
    return this.#length > BUFFER_BYTES - MAX_ROW_BYTES;
  }

  addBytes(text: Uint8Array): void {
    const bytes = this.#bytes;
    let length = this.#length;
    for (let i = 0; i < text.length; i++) bytes[length++] = text[i] ?? 0;
    this.#length = length;
  }

  /** @param text ASCII */
  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  /** A non-negative integer below 2^31. */
  addInteger(value: number): void {
    let digits = 1;
    for (let rest = (value / 10) | 0; rest > 0; rest = (rest / 10) | 0) digits++;
    this.#addDigits(value, digits);
  }

  /** `+` and up to 15 digits. */
  addNumber(number: number): void {
    const high = Math.floor(number / LOW_PART);
    this.#bytes[this.#length++] = 0x2b;
    if (high === 0) this.addInteger(number);
    else {
      this.addInteger(high);
      this.#addDigits(number - high * LOW_PART, LOW_DIGITS);
    }
  }

  #addDigits(value: number, digits: number): void {
    let rest = value | 0;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      this.#bytes[at] = DIGIT_ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += digits;
  }

  async flush(): Promise<void> {
    for (let at = 0; at < this.#length; ) {
      const { bytesWritten } = await this.#file.write(this.#bytes, at, this.#length - at);
      at += bytesWritten;
    }
    this.writtenBytes += this.#length;
    this.#length = 0;
  }
}

export type SyntheticFile = 'inventory' | 'fortnight';
export const SYNTHETIC_FILES: readonly SyntheticFile[] = ['inventory', 'fortnight'];

type OnProgress = (file: SyntheticFile, rows: number, totalRows: number) => void;

interface WrittenFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

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
/** `,label,channel,industry,project,source` of each of ATTRIBUTES. None of the names needs quotes. */
const ATTRIBUTES_TEXTS = ATTRIBUTES.map(({ label, channel, industry, project, source }) =>
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
  const { record } = walk;
  let rows = 0;
  csv.addText(INVENTORY_HEADER);
  for (; walk.next(); rows++) {
    if (csv.isFull) {
      await csv.flush();
      report(rows);
    }
    csv.addNumber(walk.number);
    csv.addBytes(HISTORY_TEXTS[record.firstDay] ?? EMPTY);
    csv.addBytes(HISTORY_TEXTS[record.lastDay] ?? EMPTY);
    csv.addText(',');
    csv.addInteger(record.sightings);
    csv.addBytes(ATTRIBUTES_TEXTS[record.attributes] ?? EMPTY);
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
    csv.addBytes(ATTRIBUTES_TEXTS[walk.attributes] ?? EMPTY);
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
