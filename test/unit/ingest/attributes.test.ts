/** What one upload may say of its detections, so that no tick holds more than it can. */
import { describe, expect, test } from 'vitest';
import { MAX_NAME_CHARS } from '../../../src/format/attributes.ts';
import { MAX_NAMED_SOURCES, openBatch } from '../../../src/format/batch.ts';
import { MAX_UPLOAD_KINDS, MAX_UPLOAD_SOURCES, MAX_UPLOAD_TEXT_BYTES } from '../../../src/ingest/body.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { dramaNumber } from './support.ts';
import { depsOn, upload } from './uploads.ts';

const NUMBER = dramaNumber(1);

async function uploaded(lines: readonly object[]) {
  const objects = new MemoryObjectStore();
  const body = lines.map((line) => JSON.stringify({ number: NUMBER, ...line })).join('\n');
  const result = await upload(depsOn(objects), body);
  if (result.kind !== 'accepted') throw new Error('no receipt');
  const stored = await objects.get(`batches/waiting/${result.batch}`);
  return { receipt: result.receipt, batch: stored === null ? null : openBatch(stored.bytes) };
}

const many = (count: number, line: (i: number) => object) => Array.from({ length: count }, (_, i) => line(i));

describe('an upload', () => {
  test('of as many sources as it may name is taken whole, and of one more the excess is rejected, with the reason', async () => {
    const line = (i: number) => ({ source: `s${i}` });
    expect((await uploaded(many(MAX_UPLOAD_SOURCES, line))).receipt).toMatchObject({ accepted: 1_000, rejected: 0 });
    const lines = [...many(MAX_UPLOAD_SOURCES + 2, line), line(0), {}, line(7)];
    const { receipt, batch } = await uploaded(lines);
    expect(receipt).toMatchObject({ accepted: 1_002, rejected: 3 });
    expect(receipt.errors.map(({ line: at, code }) => [at, code])).toEqual([
      [1_001, 'too-many-attributes'],
      [1_002, 'too-many-attributes'],
      [1_004, 'too-many-attributes'],
    ]);
    expect(receipt.errors[0]?.detail).toBe(
      'expected at most 1000 different sources in an upload; found more: send the line in another',
    );
    expect(batch?.rows).toBe(1_002);
    const named = receipt.sources?.filter(({ source }) => source !== undefined) ?? [];
    expect(named).toHaveLength(MAX_NAMED_SOURCES);
    const sum = receipt.sources?.reduce((all, one) => all + one.lines, 0);
    expect(sum, 'every line is counted').toBe(lines.length);
  });

  test('counts lines that are rejected anyway by no more names than lines that are not', async () => {
    const lines = many(MAX_UPLOAD_SOURCES + 50, (i) => ({ number: 'none', source: `s${i}` }));
    const { receipt } = await uploaded([...lines, { source: 'late' }, { source: 's3' }]);
    expect(receipt).toMatchObject({ accepted: 1, rejected: MAX_UPLOAD_SOURCES + 51 });
    expect(receipt.sources?.reduce((all, one) => all + one.accepted, 0)).toBe(1);
    expect(receipt.sources?.reduce((all, one) => all + one.lines, 0)).toBe(lines.length + 2);
  });

  test('of more kinds than a tick can hold has the excess rejected; repeated ones go on', async () => {
    const lines = many(MAX_UPLOAD_KINDS + 5, (i) => ({ project: `p${i}`, source: 'feed' }));
    const { receipt } = await uploaded([...lines, lines[0] ?? {}]);
    expect(receipt).toMatchObject({ accepted: MAX_UPLOAD_KINDS + 1, rejected: 5 });
    expect(receipt.errors[0]).toMatchObject({ line: MAX_UPLOAD_KINDS + 1, code: 'too-many-attributes' });
  });

  test('may have a link of its own on every line', async () => {
    const lines = many(100_000, (i) => ({ link: `https://codes.example/receive/${i}`, project: 'alpha', source: 'f' }));
    expect((await uploaded(lines)).receipt).toMatchObject({ accepted: 100_000, rejected: 0 });
  });

  test('of longer text than that has the excess rejected', async () => {
    const wide = (i: number) => `${i % 100}`.padStart(MAX_NAME_CHARS, '源');
    const line = (i: number) => ({ link: `https://codes.example/${i}`, project: wide(i), source: wide(i) });
    const { receipt, batch } = await uploaded(many(28_000, line));
    const textBytes = batch?.attributes.reduce((sum, text) => sum + text.length * 2, 0) ?? 0;
    expect(textBytes).toBeLessThanOrEqual(MAX_UPLOAD_TEXT_BYTES);
    expect(textBytes).toBeGreaterThan(MAX_UPLOAD_TEXT_BYTES * 0.99);
    expect(receipt.rejected).toBe(28_000 - (batch?.rows ?? 0));
    expect(receipt.errors[0]?.detail).toContain('16 MiB of different attributes');
  });
});
