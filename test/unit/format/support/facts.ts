/** Activity objects and their rows as JSON, both ways. */

import { type ActivityKey, activityKeyText, GrowingActivity, knownKey } from '../../../../src/format/activity.ts';
import type { KindNumbers } from '../../../../src/format/activity-block.ts';
import { foldKeys } from '../../../../src/format/activity-fold.ts';
import {
  ActivityEncoder,
  type ActivityShape,
  decodeActivityDirectory,
  type EncodedActivity,
  openActivityObject,
  readActivityBlock,
} from '../../../../src/format/activity-object.ts';
import type { Bytes } from '../../../../src/lib/bytes.ts';
import { finish } from '../../../../src/lib/cooperate.ts';
import { crc32 } from '../../../../src/lib/crc32.ts';
import { FRAME_HEADER_BYTES } from '../../../../src/lib/frame.ts';

export interface PlainFact {
  readonly day: number;
  readonly number: number;
  readonly kind: ActivityKey;
  /** 16 hex digits. */
  readonly link: string | null;
  readonly firstSeenAt: number;
}

/** @param facts in order */
export function encodeFacts(facts: readonly PlainFact[]): EncodedActivity {
  const kinds = [...new Set(facts.map(({ kind }) => activityKeyText(kind)))].sort();
  const encoder = new ActivityEncoder(kinds.map(knownKey));
  for (const { day, number, kind, link, firstSeenAt } of facts) {
    const half = (from: number) => (link === null ? 0 : Number.parseInt(link.slice(from, from + 8), 16));
    encoder.add(day, number, kinds.indexOf(activityKeyText(kind)), half(0), half(8), firstSeenAt);
  }
  const encoded = finish(encoder.finishSteps());
  if (encoded === null) throw new Error('no facts');
  return encoded;
}

/** What a manifest would say of these bytes. */
export function shapeOf(file: Bytes): ActivityShape {
  const directoryBytes = FRAME_HEADER_BYTES + new DataView(file.buffer, file.byteOffset).getUint32(8, true);
  const directory = file.subarray(0, directoryBytes);
  const { blocks } = finish(decodeActivityDirectory(directory));
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
  const input = finish(openActivityObject(file, shape));
  const kinds = finish(foldKeys([input.directory]));
  const columns = new GrowingActivity();
  return input.directory.blocks.flatMap(({ day }, index) => {
    readActivityBlock(input, index, kinds.numbers[0] as KindNumbers, columns);
    const hex = (half: number | undefined) => (half ?? 0).toString(16).padStart(8, '0');
    return Array.from(columns.columns().numbers, (number, row) => {
      const kind = kinds.spans[columns.kind[row] ?? -1]?.kind;
      if (kind === undefined) throw new Error('a row of no kind');
      const link = kind.linkHost === null ? null : hex(columns.linkHigh[row]) + hex(columns.linkLow[row]);
      return { day, number, kind, link, firstSeenAt: columns.firstSeenAt[row] ?? 0 };
    });
  });
}
