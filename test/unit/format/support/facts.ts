/** Facts objects and their rows as JSON, both ways. */
import { crc32 } from '../../../../src/format/crc32.ts';
import type { FactKind } from '../../../../src/format/day-facts.ts';
import { type EncodedFacts, FactsEncoder } from '../../../../src/format/facts.ts';
import { GrowingFacts } from '../../../../src/format/facts-columns.ts';
import { decodeFactsDirectory } from '../../../../src/format/facts-directory.ts';
import { FoldedKinds } from '../../../../src/format/facts-fold.ts';
import { factKindText } from '../../../../src/format/facts-kind.ts';
import { type FactsShape, openFactsObject, readFactsBlock } from '../../../../src/format/facts-open.ts';
import { type Bytes, FRAME_HEADER_BYTES } from '../../../../src/format/frame.ts';

export interface PlainFact {
  readonly day: number;
  readonly number: number;
  readonly kind: FactKind;
  /** 16 hex digits. */
  readonly link: string | null;
  readonly firstSeenAt: number;
}

/** @param facts in order */
export function encodeFacts(facts: readonly PlainFact[]): EncodedFacts {
  const kinds = [...new Set(facts.map(({ kind }) => factKindText(kind)))].sort();
  const encoder = new FactsEncoder(kinds);
  for (const { day, number, kind, link, firstSeenAt } of facts) {
    const half = (from: number) => (link === null ? 0 : Number.parseInt(link.slice(from, from + 8), 16));
    encoder.add(day, number, kinds.indexOf(factKindText(kind)), half(0), half(8), firstSeenAt);
  }
  const encoded = encoder.finish();
  if (encoded === null) throw new Error('no facts');
  return encoded;
}

/** What a manifest would say of these bytes. */
export function shapeOf(file: Bytes): FactsShape {
  const directoryBytes = FRAME_HEADER_BYTES + new DataView(file.buffer, file.byteOffset).getUint32(8, true);
  const directory = file.subarray(0, directoryBytes);
  const { blocks } = decodeFactsDirectory(directory);
  return {
    firstDay: blocks[0]?.day ?? 0,
    lastDay: blocks.at(-1)?.day ?? 0,
    rows: blocks.reduce((sum, { rows }) => sum + rows, 0),
    bytes: file.length,
    directoryBytes,
    crc32: crc32(directory),
  };
}

export function decodeFacts(file: Bytes, shape = shapeOf(file)): PlainFact[] {
  const input = openFactsObject(file, shape);
  const kinds = new FoldedKinds([input.directory]);
  const columns = new GrowingFacts();
  return input.directory.blocks.flatMap(({ day }, index) => {
    readFactsBlock(input, index, kinds.numbersOf(input.directory), columns);
    const hex = (half: number | undefined) => (half ?? 0).toString(16).padStart(8, '0');
    return Array.from(columns.columns().numbers, (number, row) => {
      const kind = kinds.spans[columns.kind[row] ?? -1]?.kind;
      if (kind === undefined) throw new Error('a row of no kind');
      const link = kind.linkHost === null ? null : hex(columns.linkHigh[row]) + hex(columns.linkLow[row]);
      return { day, number, kind, link, firstSeenAt: columns.firstSeenAt[row] ?? 0 };
    });
  });
}
