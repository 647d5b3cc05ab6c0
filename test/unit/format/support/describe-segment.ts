/**
 * A segment file as lines of offset, hex and meaning, read field by field as docs/FORMAT.md lays it out, to the last
 * byte. For small segments with one group of numbers and one block of evidence.
 */
import { offsets, readField, readFresh, readNumbers } from './reference.ts';

const WIDTH = 16;

class Listing {
  readonly bytes: Uint8Array;
  readonly lines: string[] = [];
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  heading(text: string): void {
    this.lines.push(`            ${text}`);
  }

  take(length: number, meaning: string): void {
    for (let from = 0; from < length; from += WIDTH) {
      const row = this.bytes.subarray(this.at + from, this.at + Math.min(length, from + WIDTH));
      const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
      const text = from === 0 ? meaning : '';
      const offset = String(this.at + from).padStart(4, ' ');
      this.lines.push(`${offset}  ${hex.padEnd(WIDTH * 3 - 1)}  ${text}`.trimEnd());
    }
    this.at += length;
  }

  u16(name: string): number {
    const value = this.#view.getUint16(this.at, true);
    this.take(2, `${name} ${value}`);
    return value;
  }

  u32(name: string, meaning: (value: number) => string = String): number {
    const value = this.#view.getUint32(this.at, true);
    this.take(4, `${name} ${meaning(value)}`);
    return value;
  }

  f64(name: string): number {
    const value = this.#view.getFloat64(this.at, true);
    this.take(8, `${name} ${value}`);
    return value;
  }

  varint(name: string): number {
    let value = 0;
    let length = 0;
    for (let byte = 0x80; byte >= 0x80; length++) {
      byte = this.bytes[this.at + length] as number;
      value += (byte % 0x80) * 0x80 ** length;
    }
    this.take(length, `${name} ${value}`);
    return value;
  }

  /** The text of these bytes. */
  text(name: string, length: number): void {
    this.take(length, `${name} ${new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length))}`);
  }

  zeros(length: number, name = 'padding'): void {
    if (this.bytes.subarray(this.at, this.at + length).some((byte) => byte !== 0)) throw new Error(`not ${name}`);
    this.take(length, name);
  }

  frame(): void {
    this.text('magic', 4);
    this.u16('version');
    this.zeros(2, 'reserved');
    this.u32('body bytes');
    this.u32('CRC-32 of the body', (value) => value.toString(16));
  }
}

export function describeSegment(bytes: Uint8Array): string {
  const list = new Listing(bytes);
  list.heading('header');
  list.frame();
  for (const name of ['first', 'last']) {
    const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(list.at, true);
    list.take(8, `${name} ${value}`);
  }
  list.u32('count');
  const parts = ['numbers slice', 'verdicts', 'evidence index', 'evidence blocks'];
  const lengths = parts.map((name) => list.u32(`bytes of the ${name}:`));
  list.zeros(12, 'zeros');
  describeNumbers(list, list.at + (lengths[0] ?? 0));
  describeVerdicts(list, list.at + (lengths[1] ?? 0));
  describeEvidence(list, list.at + (lengths[2] ?? 0), lengths[3] ?? 0);
  list.heading('footer');
  list.frame();
  for (const name of parts.slice(0, 3)) list.take(32, `SHA-256 of the ${name}`);
  if (list.at !== bytes.length) throw new Error(`described ${list.at} of ${bytes.length} bytes`);
  return list.lines.join('\n');
}

function describeNumbers(list: Listing, end: number): void {
  list.heading('numbers column');
  describeColumn(list, end);
  describeFresh(list, end);
  describeDirectory(list, end);
}

function describeDirectory(list: Listing, end: number): void {
  list.heading('page directory');
  list.frame();
  const count = list.u32('count');
  const pages = Math.ceil(count / list.u32('pageRanks'));
  list.u32('bytes of the evidence index:');
  list.u32('bytes of the evidence blocks:');
  for (let page = 0; page < pages; page++) list.u32(`pageBytes[${page}]`);
  for (let page = 0; page < pages; page++) list.take(32, `SHA-256 of page ${page}`);
  list.take(32, 'SHA-256 of all pages');
  list.take(32, 'SHA-256 of the evidence index');
  list.zeros(end - list.at);
}

function describeColumn(list: Listing, end: number): void {
  const column = readNumbers(list.bytes.subarray(list.at, end));
  const columnEnd = list.at + 16 + new DataView(list.bytes.buffer, list.bytes.byteOffset).getUint32(list.at + 8, true);
  list.frame();
  list.u32('count');
  const groups = list.u32('groups');
  const partitions = list.u32('partitions');
  const words = list.u32('words');
  for (let g = 0; g < groups; g++) list.f64(`groupBase[${g}]`);
  for (let g = 0; g < groups; g++) list.u32(`groupBit[${g}]`);
  for (let g = 0; g < groups; g++) list.u16(`groupRank[${g}]`);
  for (let g = 0; g < groups; g++) list.u16(`groupPartition[${g}]`);
  for (let p = 0; p < partitions; p++) list.u32(`partitionBase[${p}]`);
  for (let p = 0; p < partitions; p++) {
    list.u32(`partitionInfo[${p}]: codec`, (info) => {
      const place = `rank ${(info >>> 16) & 0x7ff}, start ${info & 0xffff}`;
      return `${info >>> 27}, ${place}; offsets [${offsets(column, 0, p).join(', ')}]`;
    });
  }
  list.take((words - 1) * 4, 'bits');
  list.zeros(4, 'one more word');
  list.zeros(columnEnd - list.at);
}

function describeFresh(list: Listing, end: number): void {
  const bytes = list.bytes.subarray(list.at, end);
  list.heading('recency');
  list.frame();
  const count = list.u32('count');
  list.u32('newestDay');
  const fresh = list.u32('recent');
  const ageBits = list.u32('ageBits');
  const days = Array.from({ length: count }, (_, rank) => readFresh(bytes, rank));
  const ageWords = Math.ceil((fresh * ageBits) / 32) + 1;
  list.take(ageWords * 4, `ages; first seen ${days.filter((day) => day >= 0).join(', ')}`);
  list.zeros((ageWords % 2) * 4);
  if (fresh < count) describeColumn(list, end);
}

const FIELDS = ['profile', 'firstDay', 'listedDays', 'sightings'];

function describeVerdicts(list: Listing, end: number): void {
  const column = list.bytes.subarray(list.at, end);
  list.heading('page of verdicts');
  list.frame();
  const count = list.u32('count');
  const profiles = list.u32('profiles');
  const dictionaryEnd = list.u32('dictionaryBytes');
  list.zeros(4, 'zero');
  const heads = FIELDS.map((name) => {
    list.f64(`${name}: base`);
    const width = list.u16(`${name}: width`);
    const exceptionWidth = list.u16(`${name}: exceptionWidth`);
    return { name, width, exceptionWidth, exceptions: list.u32(`${name}: exceptions`) };
  });
  const words = (values: number, width: number) => (Math.ceil((values * width) / 32) + 1) * 4;
  heads.forEach(({ name, width, exceptionWidth, exceptions }, field) => {
    const values = Array.from({ length: count }, (_, rank) => readField(column, field, rank));
    list.take(words(count, width), `${name}: ${values.join(', ')}`);
    list.take(words(exceptions, exceptionWidth), `${name}: exceptions`);
    const stretches = exceptions > 0 ? Math.ceil(count / 64) : 0;
    for (let i = 0; i < stretches; i++) list.u16(`${name}: exceptions before rank ${i * 64}:`);
    list.zeros((stretches % 2) * 2);
  });
  const dictionaryAt = list.at;
  list.text('labels', list.varint('bytes of labels'));
  for (let id = 0; id < profiles; id++) {
    for (let labels = list.varint(`profile ${id}: labels`); labels > 0; labels--) list.varint('  label');
    list.varint('  channels, a bit each');
    list.varint('  industries, a bit each');
  }
  if (list.at - dictionaryAt !== dictionaryEnd) throw new Error('the dictionary ends elsewhere');
  list.zeros(end - list.at);
}

function describeEvidence(list: Listing, indexEnd: number, blocksBytes: number): void {
  list.heading('evidence index');
  list.frame();
  const count = list.u32('count');
  list.u32('blocks');
  const shared = list.u32('texts');
  list.u32('textBytes');
  const blockBytes = list.u32('blockEnd[0]');
  list.u32('blockCrc[0]', (value) => value.toString(16));
  let from = 0;
  const ends = Array.from({ length: shared }, (_, i) => list.u32(`textEnd[${i}]`));
  for (const end of ends) {
    list.text('shared text', end - from);
    from = end;
  }
  list.zeros(indexEnd - list.at);
  list.heading('evidence blocks');
  const texts = list.varint('texts');
  for (let i = 0; i < texts; i++) list.text(`text ${i}:`, list.varint('bytes'));
  list.varint('base');
  for (let rank = 0; rank < count; rank++) {
    const entries = list.varint(`rank ${rank}: entries`);
    for (let e = 0; e < entries; e++) {
      for (const name of ['text', 'first seen - base', 'last seen - first seen', 'sightings']) list.varint(`  ${name}`);
    }
  }
  list.zeros(blocksBytes - blockBytes);
}
