/** One thing broken at a time: it is found, named by its key, and nothing else is. */
import { describe, expect, test, vi } from 'vitest';
import { PROBLEMS_TOLD } from '../../../../scripts/fsck/findings.ts';
import { encodeManifest } from '../../../../src/format/manifest.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { someDetections } from '../../../support/detections.ts';
import { newWorld, upload } from '../../../support/world.ts';
import { BATCHES } from './damage/batches.ts';
import { CONFIGURATION } from './damage/configuration.ts';
import { deleted } from './damage/damage.ts';
import { FACTS } from './damage/facts.ts';
import { GENERATIONS } from './damage/generations.ts';
import { MANIFESTS } from './damage/manifests.ts';
import { PACKS, SEGMENTS, SLICES } from './damage/segments.ts';
import { WITHDRAWALS } from './damage/withdrawals.ts';
import { checked, firstSegment, flip, fourMinutes, keyLike, keysOf, manifestOf } from './support.ts';

/**
 * Some make a store of 80,000 records, or stop a tick at each of its calls: a second or two, more on a busy machine.
 */
vi.setConfig({ testTimeout: 30_000 });

describe.each(
  Object.entries({ SEGMENTS, PACKS, SLICES, FACTS, MANIFESTS, GENERATIONS, BATCHES, WITHDRAWALS, CONFIGURATION }),
)('%s', (_, damages) => {
  test.each(Object.entries(damages))('%s', async (name, { breaks, says, store = fourMinutes }) => {
    const world = await store();
    const expected = await breaks(world);
    const { problems, words, report, findings } = await checked(world);
    expect(problems).toEqual(expected);
    expect(words[0]).toMatch(says);
    expect(findings.isSound).toBe(name.endsWith('is no error'));
    // No phone number, and no line that does not say what to do.
    expect(report).not.toMatch(/1\d\d5550?1\d\d/);
    for (const line of words) expect(line).toMatch(/\. [A-Z].*\.$/);
  });
});

test('what cannot be checked is said, and is not called sound', async () => {
  const world = await fourMinutes();
  await deleted(world, (await firstSegment(world)).key);
  const { findings, report } = await checked(world);
  const skipped = Object.fromEntries(findings.checks.map(({ title, skipped }) => [title, skipped]));
  expect(skipped).toMatchObject({
    'slices in KV': 'not for the segments with errors',
    'numbers, each counted once': 'not while segments have errors',
    'inventory against its batches': 'not while segments, batches, the ledger or what is set aside have errors',
    history: null,
  });
  expect(report.trimEnd().split('\n').at(-1)).toBe('The store has 1 error.');
});

test('after a hole in the history, merged batches that it alone can name are counted, not accused', async () => {
  const world = await fourMinutes();
  await deleted(world, await keyLike(world, 'history/0000000002-'));
  const { findings } = await checked(world);
  expect(findings.counts.get('merged batches that only the missing part of the history can name')).toBe(1);
});

test('what an attempt that lost left behind is counted as garbage', async () => {
  const world = await fourMinutes();
  await upload(world, 'lost', someDetections(20, 9, 200));
  world.storeLog.beforeCall = async (name) => {
    if (name === 'put manifest') throw new Error('injected: stopped before the swap');
  };
  await tick(world).catch(() => undefined);
  const { findings, problems } = await checked(world);
  expect(problems).toEqual([]);
  expect(Object.fromEntries(findings.counts)).toMatchObject({
    'segments that nothing names': 1,
    'activity objects that nothing names': 1,
    'manifests that are not retained': 1,
    'history of attempts never published': 1,
    'slices that nothing names': 0,
    'batches waiting to be merged': 1,
  });
});

test('a manifest is not to be replaced by a copy that may have lost against another', async () => {
  const world = await fourMinutes();
  const manifest = { ...(await manifestOf(world)), commit: 'loser' };
  await world.objects.memory.put('manifests/0000000004-loser', encodeManifest(manifest));
  await flip(world, 'manifest', 100);
  const { words } = await checked(world);
  expect(words[0]).toMatch(/Rebuild the store from its batches/);
  expect(words[0]).not.toContain('Put a copy');
});

test('of many problems of one check the first are told and all are counted', async () => {
  const world = newWorld();
  const count = PROBLEMS_TOLD + 15;
  for (let i = 0; i < count; i++) await upload(world, `b${i}`, someDetections(1, i));
  await tick(world);
  await world.objects.memory.delete(await keysOf(world, 'batches/merged/'));
  const { problems, findings, report } = await checked(world);
  expect(problems).toHaveLength(PROBLEMS_TOLD);
  expect(findings.errors).toBe(count);
  expect(report).toContain('and 15 more of the check "merged batches"');
});
