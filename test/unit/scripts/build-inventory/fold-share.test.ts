import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  countBlocks,
  foldShare,
  planParts,
  planShares,
  type Share,
  ShareMemory,
  segmentName,
} from '../../../../scripts/build-inventory/fold.ts';
import { inputOf, openFile, rangesOf } from '../../../../scripts/build-inventory/inputs.ts';
import { parseRange, type SpilledBatch } from '../../../../scripts/build-inventory/parse.ts';
import { KEPT_IDS, SpillFile } from '../../../../scripts/build-inventory/spill.ts';
import { SEGMENT_RECORDS } from '../../../../src/merge/segment-builder.ts';
import { START } from '../../../support/world.ts';
import { Bench, csvOf, LABELS, someRows } from './support.ts';

const bench = new Bench();
const folder = mkdtempSync(join(tmpdir(), 'ringfence-fold-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function spilled(rows: number, maxBatchRows: number): Promise<SpilledBatch[]> {
  // A link of its own on every row: as many texts as rows.
  const lines = csvOf(someRows(rows, 21)).split('\n');
  const linked = lines.map((line, i) =>
    i === 0 ? line : line.replace(',,feed-1', `,https://codes.example/${i},feed-1`),
  );
  const file = openFile(bench.file('rows.csv', linked.join('\n')), { map: {}, set: {} }, undefined);
  const input = inputOf(file, null, START);
  const batches: SpilledBatch[] = [];
  for (const range of rangesOf(input, 0)) {
    const task = { kind: 'parse', input, range, folder, nowMs: START, labels: LABELS, maxBatchRows } as const;
    const parsed = await parseRange(task, () => {});
    if (parsed !== 'needs-whole-file') batches.push(...parsed.batches);
  }
  return batches;
}

describe('a share of the fold', () => {
  test('holds a bounded number of rows, and gives the same bytes whatever the bound', async () => {
    const batches = await spilled(3_000, 100);
    expect(batches).toHaveLength(30);
    const counted = countBlocks({ kind: 'count', folder, batches, from: 0, to: Number.MAX_SAFE_INTEGER });
    const [share] = planShares([counted]).shares;
    if (share === undefined) throw new Error('no share');
    const results: { heldRows: number; bytes: string }[] = [];
    for (const maxHeldRows of [30, 300, 100_000]) {
      const { heldRows } = await foldShare({ kind: 'fold', folder, batches, share, maxHeldRows }, () => {});
      results.push({ heldRows, bytes: readFileSync(join(folder, segmentName(0))).toString('base64') });
    }
    expect(results.map(({ heldRows }) => heldRows)).toEqual([30, 300, 3_000]);
    expect(new Set(results.map(({ bytes }) => bytes)).size).toBe(1);
  });

  test('gives the same bytes whether the texts of its batches are few enough to be kept or not', async () => {
    const share = (batches: readonly SpilledBatch[]) => {
      const counted = countBlocks({ kind: 'count', folder, batches, from: 0, to: Number.MAX_SAFE_INTEGER });
      return planShares([counted]).shares[0] as Share;
    };
    const results: string[] = [];
    for (const maxBatchRows of [12_000, 500]) {
      const batches = await spilled(12_000, maxBatchRows);
      expect(Number(batches[0]?.circumstances) > KEPT_IDS).toBe(maxBatchRows === 12_000);
      for (const maxHeldRows of [1_000, 100_000]) {
        await foldShare({ kind: 'fold', folder, batches, share: share(batches), maxHeldRows }, () => {});
        results.push(readFileSync(join(folder, segmentName(0))).toString('base64'));
      }
    }
    expect(new Set(results).size).toBe(1);
  });

  test('gives the same bytes after other shares in the same thread, and after one that failed', async () => {
    const batches = await spilled(3_000, 500);
    const sample = batches.flatMap((batch) => new SpillFile(folder, batch).sample(10));
    const starts = planParts(sample, 4);
    const shares = starts.map((from, i): Share => {
      const to = starts[i + 1] ?? Number.MAX_SAFE_INTEGER;
      const counted = countBlocks({ kind: 'count', folder, batches, from, to });
      return { ...(planShares([counted]).shares[0] as Share), to, firstSegment: i };
    });
    expect(shares).toHaveLength(4);
    const shareMemory = new ShareMemory();
    const foldAll = async (memoryOf: () => ShareMemory) => {
      const files: string[] = [];
      for (const share of shares) {
        const { segments, activity } = await foldShare({ kind: 'fold', folder, batches, share }, () => {}, memoryOf());
        const names = [...segments.map(({ index }) => segmentName(index)), ...activity.map(({ name }) => name)];
        files.push(...names.map((name) => readFileSync(join(folder, name)).toString('base64')));
      }
      return files;
    };
    const expected = await foldAll(() => new ShareMemory());
    expect(await foldAll(() => shareMemory)).toEqual(expected);
    const fail = () => {
      throw new Error('stopped');
    };
    const failing = foldShare({ kind: 'fold', folder, batches, share: shares[1] as Share }, fail, shareMemory);
    await expect(failing).rejects.toThrow('stopped');
    expect(await foldAll(() => shareMemory)).toEqual(expected);
  });

  test('is refused when it does not give what was counted', async () => {
    const batches = await spilled(200, 100);
    const counted = countBlocks({ kind: 'count', folder, batches, from: 0, to: Number.MAX_SAFE_INTEGER });
    const [share] = planShares([counted]).shares;
    if (share === undefined) throw new Error('no share');
    const wrong = { ...share, numbers: share.numbers + 1 };
    await expect(foldShare({ kind: 'fold', folder, batches, share: wrong }, () => {})).rejects.toThrow(
      /^damaged-work: /,
    );
  });

  test('is refused when a batch is cut short', async () => {
    const batches = await spilled(200, 100);
    truncateSync(join(folder, batches[0]?.name ?? ''), 500);
    const task = { kind: 'count', folder, batches, from: 0, to: Number.MAX_SAFE_INTEGER } as const;
    expect(() => countBlocks(task)).toThrow(/^damaged-work: .* is cut short/);
  });
});

describe('the plan of the segments', () => {
  const block = (start: number, numbers: number) => ({
    starts: Float64Array.of(start),
    numbers: Uint16Array.of(numbers),
    rows: Float64Array.of(numbers * 2),
  });

  test('fills a segment with whole blocks to the brim, and no further', () => {
    const whole = Math.floor(SEGMENT_RECORDS / 10_000);
    const rest = SEGMENT_RECORDS - whole * 10_000;
    const full = [...Array.from({ length: whole }, (_, i) => block(i * 10_000, 10_000)), block(whole * 10_000, rest)];
    expect(planShares(full)).toMatchObject({ segments: 1, numbers: SEGMENT_RECORDS });
    const over = [...full, block((whole + 1) * 10_000, 1)];
    const plan = planShares(over, 1);
    expect(
      plan.shares.map(({ from, to, firstSegment, segments, numbers }) => [from, to, firstSegment, segments, numbers]),
    ).toEqual([
      [0, (whole + 1) * 10_000, 0, 1, SEGMENT_RECORDS],
      [(whole + 1) * 10_000, Number.MAX_SAFE_INTEGER, 1, 1, 1],
    ]);
    expect(planShares(over, 2).shares).toHaveLength(1);
    expect(plan.rows).toBe(plan.numbers * 2);
  });

  test('cuts the number space at blocks, evenly, and never twice at one place', () => {
    const sample = Array.from({ length: 1000 }, (_, i) => 12_000_000_000 + i * 1_000);
    expect(planParts(sample, 4)).toEqual([0, 12_000_250_000, 12_000_500_000, 12_000_750_000]);
    expect(planParts([5, 5, 5, 5], 4)).toEqual([0]);
    expect(planParts([], 1)).toEqual([0]);
  });
});
