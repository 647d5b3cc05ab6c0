import { describe, expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { REFRESH_AFTER_MS } from '../../../src/lib/swr-cache.ts';
import { Finder } from '../../../src/lookup/finder.ts';
import { MAX_AGE_MS, parseStale, WAIT_MS } from '../../../src/lookup/snapshot.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { tick } from '../../../src/merge/tick.ts';
import { someDetections } from '../../support/detections.ts';
import { tickWithoutCompaction } from '../../support/tick-without-compaction.ts';
import { expectedInventory, newWorld, upload, type World } from '../../support/world.ts';

const PARTS = [someDetections(400, 1), someDetections(150, 2), someDetections(60, 3)];
const ALL = PARTS.flat();
const DAY = 86_400;
/** Ends after all that the store in memory has to do, so that nothing but a read that hangs takes longer. */
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** A world with three runs that have numbers in common, and a finder on it with an empty memory. */
async function prepared(parts = PARTS): Promise<{ world: World; finder: Finder; background: Promise<unknown>[] }> {
  const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  for (const [i, part] of parts.entries()) {
    await upload(world, `b${i}`, part);
    await tickWithoutCompaction(world);
  }
  expect((await loadManifest(world.objects)).manifest.runs).toHaveLength(3);
  return { world, ...newFinder(world) };
}

function newFinder(world: World, sleep: (ms: number) => Promise<void> = soon, maxAgeMs = MAX_AGE_MS) {
  const background: Promise<unknown>[] = [];
  const finder = new Finder({
    objects: world.objects,
    slices: world.slices,
    now: world.now,
    log: world.log,
    waitUntil: (work) => background.push(work),
    sleep,
    maxAgeMs,
  });
  world.storeLog.clear();
  return { finder, background };
}

/** Every listed number and its neighbours. */
function probesOf(detections: readonly Detection[]): number[] {
  const probes = new Set<number>();
  for (const { number } of detections) for (const d of [-1, 0, 1, 100, 5000]) probes.add(number + d);
  return [...probes];
}

function neighbours(listed: Iterable<number>, number: number, size: number): number {
  const from = number - (number % size);
  let count = 0;
  for (const other of listed) if (other !== number && other >= from && other < from + size) count += 1;
  return count;
}

describe('lookups', () => {
  test('fold the runs and count the neighbours as a straight computation does', async () => {
    const { finder } = await prepared();
    const expected = expectedInventory(ALL);
    const probes = probesOf(ALL);
    const findings = await finder.find(probes, { evidence: true });
    probes.forEach((number, i) => {
      const finding = findings[i];
      const record = expected.get(number);
      if (finding === null || finding === undefined) throw new Error('no finding');
      if (record === undefined) {
        expect(finding.record).toBeNull();
      } else {
        const [labels, channels, industries] = JSON.parse(record.profile);
        expect(finding.record).toEqual({
          labels,
          channels,
          industries,
          firstDay: record.firstDay,
          lastDay: record.lastDay,
          sightings: record.sightings,
        });
        const told = finding.evidence ?? [];
        // Answers tell one line for each set of attributes, whatever the days.
        expect(told).toHaveLength(new Set(Object.keys(record.evidence).map((key) => key.split('\n')[0])).size);
        expect(told.reduce((sum, { sightings }) => sum + sightings, 0)).toBe(record.sightings);
      }
      expect(finding.hundred).toBe(neighbours(expected.keys(), number, 100));
      expect(finding.thousand).toBe(neighbours(expected.keys(), number, 1000));
    });
  });

  test('at once: the same from memory, and nothing while anything has to be read or looked at', async () => {
    const { world, finder } = await prepared();
    const [number = 0] = probesOf(ALL);
    expect(finder.probe(number, world.clock).finding).toBeNull();
    const [found] = await finder.find([number], { evidence: false });
    expect(finder.probe(number, world.clock).finding).toEqual(found);
    world.clock += REFRESH_AFTER_MS - 1;
    expect(finder.probe(number, world.clock).finding).not.toBeNull();
    world.clock += 1;
    expect(finder.probe(number, world.clock).finding).toBeNull();
  });

  test('say the same from memory alone', async () => {
    const { world, finder } = await prepared();
    const probes = probesOf(ALL);
    const withEvidence = await finder.find(probes, { evidence: true });
    world.storeLog.clear();
    const warm = await finder.find(probes, { evidence: false });
    expect(world.storeLog.calls).toEqual([]);
    expect(warm).toHaveLength(probes.length);
    warm.forEach((finding, i) => {
      const { evidence, ...rest } = withEvidence[i] ?? {};
      expect(evidence).toBeDefined();
      expect(finding).toEqual(rest);
    });
  });

  test('what was probed in a snapshot before is counted anew in the next', async () => {
    const { world, finder } = await prepared();
    const number = (ALL[0]?.number ?? 0) + 1;
    const [before] = await finder.find([number], { evidence: false });
    const begun = finder.probe(number, world.clock);
    const [like] = PARTS[2] ?? [];
    if (like === undefined || before == null) throw new Error('a detection and a finding were expected');
    const block = number - (number % 100);
    const known = expectedInventory(ALL);
    const added = Array.from({ length: 100 }, (_, i) => block + i).filter(
      (each) => each !== number && !known.has(each),
    );
    await upload(
      world,
      'more',
      added.map((each) => ({ ...like, number: each })),
    );
    await tickWithoutCompaction(world);
    await finder.snapshots.refresh();
    const [after] = await finder.find([number], { evidence: false }, begun);
    expect(after?.hundred).toBe(before.hundred + added.length);
    expect(await finder.find([number], { evidence: false })).toEqual([after]);
  });

  test('a new isolate reads the manifest, each numbers column, and verdicts only for a listed number', async () => {
    const { world, finder } = await prepared();
    const [listed] = PARTS[0] ?? [];
    if (listed === undefined) throw new Error('no detection');
    const [unlisted] = await finder.find([listed.number + 5000], { evidence: false });
    expect(unlisted?.record).toBeNull();
    // Runs that ticks folded have no slices, and nobody asks for them.
    expect(world.storeLog.counts()).toEqual({ 'getIfChanged manifest': 1, 'getRange segments/': 3 });
    world.storeLog.clear();
    await finder.find([listed.number], { evidence: false });
    const verdictReads = world.storeLog.counts()['getRange segments/'] ?? 0;
    expect(verdictReads).toBeGreaterThan(0);
    expect(world.storeLog.counts()).toEqual({ 'getRange segments/': verdictReads });
    world.storeLog.clear();
    await finder.find([listed.number, listed.number + 1, listed.number + 5000], { evidence: false });
    expect(world.storeLog.calls, 'warm: no storage at all').toEqual([]);
  });

  test('an empty store lists nothing', async () => {
    const { finder } = newFinder(newWorld());
    const [finding] = await finder.find([12_025_550_100], { evidence: true });
    expect(finding).toMatchObject({ generation: 0, record: null, hundred: 0, thousand: 0, evidence: [] });
  });
});

describe('when storage fails or lies', () => {
  test('a missing, damaged or failing slice is read from the segment instead', async () => {
    const probes = probesOf(ALL).slice(0, 50);
    // Runs that ticks folded have no slices.
    const compacted = async (parts?: Parameters<typeof prepared>[0]) => {
      const { world } = await prepared(parts);
      await compactFully(world);
      world.storeLog.clear();
      return { world, finder: newFinder(world).finder };
    };
    const { world, finder } = await compacted();
    const good = await finder.find(probes, { evidence: false });
    const { manifest } = await loadManifest(world.objects);
    const hashes = manifest.runs.flatMap(({ segments }) => segments.map((s) => s.numbers.sha256));
    expect(world.storeLog.counts()).toMatchObject({ 'kv get': hashes.length, 'getRange segments/': hashes.length });
    world.storeLog.clear();

    for (const hash of hashes) await world.slices.memory.delete(hash);
    expect(await newFinder(world).finder.find(probes, { evidence: false })).toEqual(good);
    // The numbers of each, and its only page of verdicts.
    expect(world.storeLog.counts()['getRange segments/']).toBe(hashes.length * 2);

    // Well-formed columns of the same length for other numbers and days: only the hash can tell.
    const { world: other } = await compacted(
      PARTS.map((part) =>
        part.map((d) => ({
          ...d,
          number: d.number + 1000,
          observedAt: d.observedAt + DAY,
          firstSeenAt: d.firstSeenAt + DAY,
        })),
      ),
    );
    const foreign = (await loadManifest(other.objects)).manifest.runs.flatMap(({ segments }) => segments);
    for (const [i, entry] of manifest.runs.flatMap(({ segments }) => segments).entries()) {
      const bytes = await other.slices.memory.get(foreign[i]?.numbers.sha256 ?? '');
      expect(bytes?.length).toBe(entry.numbers.bytes);
      await world.slices.memory.put(entry.numbers.sha256, bytes ?? new Uint8Array(), 0);
    }
    expect(await newFinder(world).finder.find(probes, { evidence: false })).toEqual(good);

    world.storeLog.beforeCall = async (name) => {
      if (name.startsWith('kv')) throw new Error('injected: KV is down');
    };
    expect(await newFinder(world).finder.find(probes, { evidence: false })).toEqual(good);
  });

  test('what no storage can answer is null, never "not listed", and is not asked for again in the request', async () => {
    const { world, finder } = await prepared();
    const probes = probesOf(ALL);
    const attempts: string[] = [];
    world.storeLog.beforeCall = async (name) => {
      if (name === 'getIfChanged manifest') return;
      attempts.push(name);
      throw new Error('injected: down');
    };
    const findings = await finder.find(probes, { evidence: false });
    expect(findings.every((finding) => finding === null)).toBe(true);
    // Three runs of one segment each: each is tried once for all the numbers.
    expect(attempts).toEqual(Array(3).fill('getRange segments/'));
    world.storeLog.beforeCall = async () => {};
    expect((await finder.find(probes, { evidence: false })).includes(null)).toBe(false);
  });

  test('a store that has lost its manifest calls nothing clear', async () => {
    const { world } = await prepared();
    await world.objects.memory.delete(['manifest']);
    expect(await newFinder(world).finder.find([1, 2], { evidence: false })).toEqual([null, null]);
  });

  test('evidence that cannot be read is left out, and the verdict stands', async () => {
    const { world, finder } = await prepared();
    const [listed] = ALL;
    if (listed === undefined) throw new Error('no detection');
    await finder.find([listed.number], { evidence: false });
    world.storeLog.beforeCall = async () => {
      throw new Error('injected: down');
    };
    const [finding] = await finder.find([listed.number], { evidence: true });
    expect(finding?.record).not.toBeNull();
    expect(finding).not.toHaveProperty('evidence');
  });

  test('without a manifest everything is unknown; with an old one until it is too old, if ever', async () => {
    const { world } = await prepared();
    const { finder, background } = newFinder(world);
    const serving = newFinder(world, soon, parseStale('serve')).finder;
    const [listed] = ALL;
    if (listed === undefined) throw new Error('no detection');
    const down = async () => {
      throw new Error('injected: down');
    };
    world.storeLog.beforeCall = down;
    expect(await finder.find([listed.number], { evidence: false })).toEqual([null]);
    world.storeLog.beforeCall = async () => {};
    await finder.find([listed.number], { evidence: false });
    await serving.find([listed.number], { evidence: false });
    world.storeLog.beforeCall = down;
    world.clock += 119_999;
    const [finding] = await finder.find([listed.number], { evidence: false });
    expect(finding?.record).not.toBeNull();
    expect(finding?.ageSeconds).toBe(119);
    world.clock += 480_001;
    expect(await finder.find([listed.number, 1], { evidence: false })).toEqual([null, null]);
    await Promise.all(background);
    expect(finder.snapshots.ageSeconds).toBe(600);
    const [served] = await serving.find([listed.number], { evidence: false });
    expect(served?.record).not.toBeNull();
    expect(served?.ageSeconds).toBe(600);
    world.storeLog.beforeCall = async () => {};
    expect(await finder.find([listed.number, 1], { evidence: false })).not.toContain(null);
  });
});

describe('the snapshot', () => {
  test('is refreshed in the background, one refresh at a time, and a new generation is seen', async () => {
    const { world, finder, background } = await prepared();
    const fresh: Detection = { ...(ALL[0] as Detection), number: 12_125_550_177, sightings: 1 };
    await finder.find([fresh.number], { evidence: false });
    background.length = 0;
    await upload(world, 'late', [fresh]);
    await tickWithoutCompaction(world);
    world.clock += REFRESH_AFTER_MS;
    world.storeLog.clear();
    const before = await Promise.all([1, 2, 3].map(() => finder.find([fresh.number], { evidence: false })));
    expect(before.flat().every((finding) => finding?.record === null)).toBe(true);
    expect(background).toHaveLength(1);
    await Promise.all(background);
    const [after] = await finder.find([fresh.number], { evidence: false });
    expect(after?.record?.sightings).toBe(1);
    expect(world.storeLog.counts()['getIfChanged manifest']).toBe(1);
  });

  test('is swapped once the numbers are there that memory had of the runs before: the next lookup reads nothing', async () => {
    const { world } = await prepared();
    // Only a read that hangs takes as long as this.
    const { finder, background } = newFinder(world, (ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    const fresh: Detection = { ...(ALL[0] as Detection), number: (ALL[0] as Detection).number + 2, sightings: 1 };
    const unlisted = (ALL[0] as Detection).number + 1;
    await finder.find([unlisted], { evidence: false });
    await upload(world, 'late', [fresh]);
    await tickWithoutCompaction(world);
    world.clock += REFRESH_AFTER_MS;
    world.storeLog.clear();
    await finder.find([unlisted], { evidence: false });
    await Promise.all(background);
    const [manifest, ...numbers] = world.storeLog.calls;
    expect(manifest).toContain('manifest');
    expect(numbers.length).toBeGreaterThan(0);
    world.storeLog.clear();
    const [found] = await finder.find([unlisted], { evidence: false });
    expect(found?.generation).toBe((await loadManifest(world.objects.memory)).manifest.generation);
    expect(world.storeLog.calls).toEqual([]);
  });

  test('is swapped all the same if these cannot be read, or take too long', async () => {
    for (const beforeCall of [
      () => Promise.reject(new Error('injected: down')),
      () => new Promise<never>(() => undefined),
    ]) {
      const { world } = await prepared();
      const { finder, background } = newFinder(world, (ms) => new Promise((resolve) => setTimeout(resolve, ms / 20)));
      await finder.find([1_000_000_000], { evidence: false });
      const [listed] = ALL;
      await finder.find([(listed as Detection).number + 1], { evidence: false });
      await upload(world, 'late', ALL.slice(0, 3));
      await tickWithoutCompaction(world);
      const { generation } = (await loadManifest(world.objects.memory)).manifest;
      world.clock += REFRESH_AFTER_MS;
      world.storeLog.beforeCall = async (name) => {
        if (!name.includes('manifest')) await beforeCall();
      };
      finder.snapshots.get();
      await Promise.all(background);
      expect(finder.snapshots.held?.manifest.generation).toBe(generation);
    }
  });

  test('a refresh that never came back does not stop the next', async () => {
    const { world, finder, background } = await prepared();
    await finder.find([1], { evidence: false });
    background.length = 0;
    world.storeLog.beforeCall = () => new Promise(() => {});
    world.clock += REFRESH_AFTER_MS;
    await finder.find([1], { evidence: false });
    await finder.find([1], { evidence: false });
    expect(background).toHaveLength(1);
    world.clock += 16_000;
    await finder.find([1], { evidence: false });
    expect(background).toHaveLength(2);
  });

  test('after a long pause the first lookup waits for the refresh, and sees the new generation', async () => {
    const { world, finder } = await prepared();
    const fresh: Detection = { ...(ALL[0] as Detection), number: 12_125_550_177, sightings: 1 };
    await finder.find([fresh.number], { evidence: false });
    await upload(world, 'late', [fresh]);
    await tickWithoutCompaction(world);
    world.clock += WAIT_MS;
    const [finding] = await finder.find([fresh.number], { evidence: false });
    expect(finding?.record?.sightings).toBe(1);
  });

  test('after a long pause, storage that hangs or fails holds up one lookup and no more', async () => {
    const { world } = await prepared();
    const { finder, background } = newFinder(world);
    await finder.find([1], { evidence: false });
    background.length = 0;
    world.storeLog.beforeCall = () => new Promise(() => {});
    world.clock += WAIT_MS;
    expect(await finder.find([1], { evidence: false })).toHaveLength(1);
    expect(await finder.find([1], { evidence: false })).toHaveLength(1);
    expect(background).toHaveLength(1);
  });

  test('so old that its segments are collected: the lookup goes on with the current one', async () => {
    const { world, finder } = await prepared();
    const { manifest } = await loadManifest(world.objects);
    const [listed] = ALL;
    if (listed === undefined) throw new Error('no detection');
    await finder.snapshots.get();
    await tick(world);
    for (const { segments } of manifest.runs) {
      for (const entry of segments) {
        await world.objects.memory.delete([entry.key]);
        await world.slices.memory.delete(entry.numbers.sha256);
      }
    }
    const [finding] = await finder.find([listed.number], { evidence: false });
    expect(finding?.record).not.toBeNull();
    expect(finding?.generation).toBeGreaterThan(manifest.generation);
  });
});
