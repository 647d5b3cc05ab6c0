/**
 * A second reader, written from docs/FORMAT.md: one step for each line of its pseudocode, none of src/format in it, and
 * no thought of speed. Where it and src/format differ, one of the two or the document is wrong.
 */
export interface Numbers {
  readonly N: number;
  readonly groupBase: readonly number[];
  readonly groupBit: readonly number[];
  readonly groupRank: readonly number[];
  readonly groupPartition: readonly number[];
  readonly partitionBase: readonly number[];
  readonly partitionInfo: readonly number[];
  /** Bit i of the bit string. */
  bit(i: number): number;
}

/** The column of these bytes, which begin with its frame. */
export function readNumbers(bytes: Uint8Array): Numbers {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 16;
  const list = (count: number, size: number, read: (at: number) => number) =>
    Array.from({ length: count }, () => {
      at += size;
      return read(at - size);
    });
  const u32 = (p: number) => view.getUint32(p, true);
  const u16 = (p: number) => view.getUint16(p, true);
  const [N = 0, G = 0, P = 0] = list(4, 4, u32);
  const groupBase = list(G, 8, (p) => view.getFloat64(p, true));
  const groupBit = list(G, 4, u32);
  const groupRank = list(G, 2, u16);
  const groupPartition = list(G, 2, u16);
  const partitionBase = list(P, 4, u32);
  const partitionInfo = list(P, 4, u32);
  const bits = at;
  const bit = (i: number) => ((bytes[bits + Math.floor(i / 8)] as number) >> (i % 8)) & 1;
  return { N, groupBase, groupBit, groupRank, groupPartition, partitionBase, partitionInfo, bit };
}

const at = (list: readonly number[], i: number): number => list[i] as number;

/** Index of the last element of list[from..to) that is at most x; the list is ascending. */
function lastAtMost(list: readonly number[], from: number, to: number, x: number): number {
  let last = from;
  for (let i = from; i < to; i++) if (at(list, i) <= x) last = i;
  return last;
}

/** The k offsets of partition p of group g, ascending. */
export function offsets(c: Numbers, g: number, p: number): number[] {
  const codec = at(c.partitionInfo, p) >>> 27;
  const b = at(c.groupBit, g) + (at(c.partitionInfo, p) & 0xffff);
  const k = rankAfter(c, g, p) - rankOf(c, g, p) - 1;
  const result: number[] = [];
  if (codec === 31) {
    for (let j = 0; j < k; j++) result.push(j);
  } else if (codec === 30) {
    for (let i = 0; result.length < k; i++) if (c.bit(b + i)) result.push(i);
  } else {
    const high = b + k * codec;
    for (let i = 0; result.length < k; i++) {
      if (!c.bit(high + i)) continue;
      const j = result.length;
      let low = 0;
      for (let x = codec - 1; x >= 0; x--) low = low * 2 + c.bit(b + j * codec + x);
      result.push((i - j) * 2 ** codec + low);
    }
  }
  return result;
}

function rankOf(c: Numbers, g: number, p: number): number {
  return at(c.groupRank, g) + ((at(c.partitionInfo, p) >>> 16) & 0x7ff);
}

function rankAfter(c: Numbers, g: number, p: number): number {
  const end = c.groupPartition[g + 1] ?? c.partitionInfo.length;
  return p + 1 < end ? rankOf(c, g, p + 1) : (c.groupRank[g + 1] ?? c.N);
}

/** The rank of x if it is in the set, otherwise ~rank. */
export function find(c: Numbers, x: number): number {
  if (x < at(c.groupBase, 0)) return ~0;
  const g = lastAtMost(c.groupBase, 0, c.groupBase.length, x);
  const r = x - at(c.groupBase, g);
  const p = lastAtMost(c.partitionBase, at(c.groupPartition, g), c.groupPartition[g + 1] ?? c.partitionBase.length, r);
  const start = rankOf(c, g, p);
  const o = r - at(c.partitionBase, p);
  if (o === 0) return start;
  const list = offsets(c, g, p);
  const i = list.filter((offset) => offset < o - 1).length;
  return list[i] === o - 1 ? start + 1 + i : ~(start + 1 + i);
}

/** First seen of the number at a rank, as the frame of fresh numbers has it; -1 if it is not fresh. */
export function readFresh(bytes: Uint8Array, rank: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const N = view.getUint32(16, true);
  const newestDay = view.getUint32(20, true);
  const F = view.getUint32(24, true);
  const w = view.getUint32(28, true);
  const end = 16 + view.getUint32(8, true);
  const f = F === N ? rank : find(readNumbers(bytes.slice(end)), rank);
  if (f < 0) return -1;
  const bit = (i: number) => ((bytes[32 + Math.floor(i / 8)] as number) >> (i % 8)) & 1;
  let age = 0;
  for (let i = w - 1; i >= 0; i--) age = age * 2 + bit(f * w + i);
  return newestDay - age;
}

/** Value of a field of the verdicts column (0 profile, 1 firstDay, 2 listedDays, 3 sightings) at a rank. */
export function readField(bytes: Uint8Array, field: number, rank: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const N = view.getUint32(16, true);
  const bits = (from: number, position: number, width: number) => {
    let value = 0;
    for (let i = position + width - 1; i >= position; i--) {
      value = value * 2 + (((bytes[from + Math.floor(i / 8)] as number) >> (i % 8)) & 1);
    }
    return value;
  };
  const wordBytes = (count: number, width: number) => (Math.ceil((count * width) / 32) + 1) * 4;
  let at = 96;
  for (let f = 0; ; f++) {
    const base = view.getFloat64(32 + f * 16, true);
    const width = view.getUint16(40 + f * 16, true);
    const exceptionWidth = view.getUint16(42 + f * 16, true);
    const E = view.getUint32(44 + f * 16, true);
    const exceptions = at + wordBytes(N, width);
    const counts = exceptions + wordBytes(E, exceptionWidth);
    if (f === field) {
      const packed = (r: number) => bits(at, r * width, width);
      const isException = (r: number) => E > 0 && packed(r) === 2 ** width - 1;
      if (!isException(rank)) return base + packed(rank);
      let e = view.getUint16(counts + Math.floor(rank / 64) * 2, true);
      for (let r = rank - (rank % 64); r < rank; r++) if (isException(r)) e += 1;
      return base + bits(exceptions, e * exceptionWidth, exceptionWidth);
    }
    at = counts + (E > 0 ? Math.ceil(Math.ceil(N / 64) / 2) * 4 : 0);
  }
}

const LADDER = [0, 0.4, 0.8, 1.2, 1.6, 2, 2.5, 3.1, 3.9, 4.9, 6.1, 7.6, 9.5, 12, 15, 19, 24, 64];

/** Bits of partition x[i..j). */
function coded(x: readonly number[], i: number, j: number): number {
  const k = j - 1 - i;
  const u = at(x, j - 1) - at(x, i);
  if (u === k) return 0;
  const bits = Array.from({ length: 30 }, (_, l) => k * (l + 1) + Math.floor((u - 1) / 2 ** l));
  return Math.min(u, ...bits);
}

/** Where a partition of x may begin, and at last its length. */
function possibleCuts(x: readonly number[]): number[] {
  const gap = (i: number) => at(x, i) - at(x, i - 1);
  const cuts = [0];
  for (let i = 1; i < x.length; i++) {
    const last = at(cuts, cuts.length - 1);
    const before = [1, 2, 3, 4, 5, 6].map((d) => i - d).filter((j) => j >= 1);
    const after = [1, 2, 3, 4, 5, 6].map((d) => i + d).filter((j) => j < x.length);
    const isLargest = (others: number[]) => others.every((j) => gap(j) <= gap(i));
    const isInStretch = [before[0], after[0]].every((j) => j !== undefined && gap(j) === gap(i));
    const standsOut = !isInStretch && (isLargest(before) || isLargest(after));
    if (i - last >= 8 || at(x, i) - at(x, last) >= 2 ** 31 || standsOut) cuts.push(i);
  }
  return [...cuts, x.length];
}

/** Where each partition of x ends. */
export function partitionEnds(x: readonly number[]): number[] {
  const c = possibleCuts(x);
  const m = c.length - 1;
  const best = new Array<number>(m + 1).fill(Number.POSITIVE_INFINITY);
  const from = new Array<number>(m + 1).fill(0);
  best[0] = 0;
  for (let a = 0; a < m; a++) {
    const start = at(c, a);
    const allowed = (b: number) => b <= m && at(c, b) <= start + 128 && at(x, at(c, b) - 1) - at(x, start) < 2 ** 31;
    let b = a + 1;
    for (const limit of LADDER) {
      while (allowed(b + 1) && coded(x, start, at(c, b + 1)) <= limit * 72) b += 1;
      for (const end of [a + 1, b]) {
        const cost = at(best, a) + 72 + coded(x, start, at(c, end));
        if (cost < at(best, end)) {
          best[end] = cost;
          from[end] = a;
        }
      }
    }
  }
  const ends: number[] = [];
  for (let b = m; b > 0; b = at(from, b)) ends.unshift(at(c, b));
  return ends;
}
