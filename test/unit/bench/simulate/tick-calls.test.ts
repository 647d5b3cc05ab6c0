/** The model's counts against the calls that the real tick makes. */
import { expect, test } from 'vitest';
import { TODAY } from '../../../../bench/simulate/assumptions.ts';
import {
  addCalls,
  type Calls,
  compactionCalls,
  countCalls,
  LOOK_CALLS,
  MeasuredWorld,
  mergeCalls,
  PUBLISH_CALLS,
  SETTLE_CALLS,
  timesCalls,
} from '../../../../bench/simulate/tick-calls.ts';
import type { StorageCall } from '../../../../bench/support/counting-stores.ts';
import { Random } from '../../../../bench/support/random.ts';
import { DEFAULT_BUDGET } from '../../../../src/merge/context.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { MANIFEST_KEY } from '../../../../src/storage/keys.ts';

/** The calls of a tick before and after its batches are served: up to the first swap of the manifest, and the rest. */
function splitAtSwap(calls: readonly StorageCall[]): { readonly before: Calls; readonly after: Calls } {
  const swap = calls.findIndex(({ kind, key }) => kind === 'objectWrite' && key === MANIFEST_KEY);
  return { before: countCalls(calls.slice(0, swap + 1)), after: countCalls(calls.slice(swap + 1)) };
}

const columnReads = (made: readonly StorageCall[]) =>
  made.filter(({ kind, key, bytes }) => kind === 'objectRead' && key.startsWith('segments/') && bytes > 0).length;

async function runningStore(): Promise<MeasuredWorld> {
  const world = new MeasuredWorld();
  await world.warmUp(new Random(1));
  return world;
}

test('with nothing waiting a tick only looks', async () => {
  expect(countCalls(await (await runningStore()).tick())).toEqual(LOOK_CALLS);
});

test.each([1, 4])('a tick with %d uploads', async (batches) => {
  const world = await runningStore();
  for (let i = 0; i < batches; i++) await world.upload(new Random(50 + i), 25, TODAY.numbers);
  const { before, after } = splitAtSwap(await world.tick());
  const shape = { batches, columnReads: 1, joinedSegments: 1, writtenSegments: 1 };
  expect(before).toEqual(addCalls(LOOK_CALLS, mergeCalls(shape)));
  expect(after).toEqual(timesCalls(SETTLE_CALLS, batches));
});

test('a tick that reads the columns of several runs, joins none, and then compacts', async () => {
  // Nothing is joined, and a compaction does not end in the tick that begins it.
  const world = new MeasuredWorld({ ...DEFAULT_BUDGET, inlineRecords: 1, compactionSegments: 1 });
  await world.upload(new Random(1), 70_000, TODAY.numbers);
  await world.tick();
  // So long that the page of the history tells whether the next batch was merged before.
  world.clockMs += 6 * 60_000;
  // They all fit into one pack.
  await world.upload(new Random(2), 40_000, TODAY.numbers);
  const made = await world.tick();
  const { manifest } = await loadManifest(world.objects.inner);
  expect(manifest.compaction?.output.count).toBe(1);
  const written = manifest.runs[0]?.segments.length ?? 0;
  const { before, after } = splitAtSwap(made);
  const reads = columnReads(
    made.slice(
      0,
      made.findIndex(({ kind, key }) => kind === 'objectWrite' && key === MANIFEST_KEY),
    ),
  );
  expect(reads).toBeGreaterThan(1);
  const shape = { batches: 1, columnReads: reads, joinedSegments: 0, writtenSegments: written };
  expect(before).toEqual(addCalls(LOOK_CALLS, mergeCalls(shape)));
  const inputs = after.objectRead - SETTLE_CALLS.objectRead - PUBLISH_CALLS.objectRead;
  expect(inputs).toBeGreaterThan(0);
  expect(after).toEqual(addCalls(SETTLE_CALLS, compactionCalls(inputs, 1)));
});
