/** What a tick holds in memory: measured in a process of its own, which collects garbage at every storage call. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { activityPartsOf } from '../../../src/format/activity.ts';
import { parseAttributes } from '../../../src/format/attributes.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { memoryBytes } from '../../../src/merge/take.ts';

vi.setConfig({ testTimeout: 180_000 });

/** Of the 128 MB of an isolate, beside the numbers that lookups hold (40) and the code. */
const MOST_MB = 68;

const run = promisify(execFile);

async function peakOf(kind: string, lines: number, uploads: number) {
  const script = 'test/support/heap-of-tick.ts';
  const { stdout } = await run(process.execPath, ['--expose-gc', script, kind, `${lines}`, `${uploads}`]);
  return JSON.parse(stdout) as { peakMB: number; accepted: number; batches: number; detections: number };
}

test.each([
  ['as many sources and projects, of wide letters, as an upload may have', 'wide', 30_000, 2, 1],
  ['a link on each of as many lines as an upload may have', 'links', 100_000, 2, 1],
  ['uploads of wide letters, of which more are read ahead than are taken', 'wide', 4_000, 30, 3],
])('%s: a tick takes what it can hold, and no more', async (_, kind, lines, uploads, taken) => {
  const { peakMB, accepted, batches, detections } = await peakOf(kind, lines, uploads);
  expect(accepted).toBeGreaterThan(19_000);
  expect([batches, detections > 0]).toEqual([taken, true]);
  expect(peakMB).toBeLessThan(MOST_MB);
});

test('a batch counts with the text that a merge holds several times over', () => {
  const kind = JSON.stringify(['l', 'other', null, 'p'.repeat(100), null, null, 's'.repeat(100)]);
  const linked = JSON.stringify(['l', 'other', null, null, 'codes.example', 'a'.repeat(64), 'has "quotes" in it']);
  const attributes = [kind, linked];
  const keys = attributes.map((text) => activityPartsOf(parseAttributes(text)).key);
  expect(memoryBytes({ attributes, keys }, 1_000)).toBe(1_000 + kind.length * 3);
  expect(DEFAULT_BUDGET.batchBytes).toBeLessThan(32 * 2 ** 20);
});
