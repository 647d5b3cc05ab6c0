import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../../scripts/fsck/rebuild.ts';
import { compactFully } from '../../../../src/merge/rebuild.ts';
import { rollback } from '../../../../src/merge/rollback.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { withdraw } from '../../../../src/merge/withdraw.ts';
import { MemoryObjectStore } from '../../../../src/storage/memory.ts';
import { actualActivity, expectedActivity } from '../../../support/activity.ts';
import { someDetections } from '../../../support/detections.ts';
import {
  actualInventory,
  batchPlaces,
  compactedBytes,
  expectedInventory,
  newWorld,
  upload,
  type World,
} from '../../../support/world.ts';
import { nextTick } from '../../merge/quarantine-world.ts';
import { checked, flip, fourMinutes, keyLike, keysOf, lookAt, PARTS, setAsideIds } from './support.ts';

async function rebuilt(source: World, choice: string | null = null) {
  const target = newWorld();
  const result = await rebuild(source.objects.memory, target, lookAt(target).progress, choice);
  const { problems } = await checked(target);
  return { target, result, problems };
}

describe('a rebuild', () => {
  test('gives the same bytes, from the batches alone', async () => {
    const source = await fourMinutes();
    await source.objects.memory.put('config/keys', new Uint8Array([1, 2, 3]));
    await compactFully(source);
    const expected = await compactedBytes(source.objects);
    for (const prefix of ['segments/', 'facts/', 'manifests/', 'history/', 'manifest']) {
      const { objects } = await source.objects.memory.list(prefix);
      await source.objects.memory.delete(objects.map(({ key }) => key));
    }
    const { target, result } = await rebuilt(source);
    expect(await compactedBytes(target.objects)).toEqual(expected);
    expect(result).toMatchObject({ batches: 4, setAside: 0, unreadable: 0, setAsideFrom: null });
    expect(await actualActivity(target.objects)).toEqual(expectedActivity(PARTS.flat()));
    expect(result.numbers).toBe(expectedInventory(PARTS.flat()).size);
    expect(await batchPlaces(target.objects)).toEqual({ waiting: [], merged: ['b0', 'b1', 'b2', 'b3'] });
    expect((await target.objects.memory.get('config/keys'))?.bytes).toEqual(new Uint8Array([1, 2, 3]));
    expect(target.storeLog.violations).toEqual([]);
  });

  test('leaves its source as it is', async () => {
    const source = await fourMinutes();
    source.storeLog.clear();
    const heads = (await source.objects.memory.list('')).objects;
    await rebuilt(source);
    expect((await source.objects.memory.list('')).objects).toEqual(heads);
  });

  test('sets aside what was set aside, so that it can be brought back', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    await upload(source, 'waits', someDetections(20, 8, 200));
    const { target, result, problems } = await rebuilt(source);
    expect(problems).toEqual([]);
    expect(result).toMatchObject({ batches: 3, setAside: 2, setAsideFrom: 'manifest' });
    const kept = [...(PARTS[0] ?? []), ...(PARTS[1] ?? []), ...someDetections(20, 8, 200)];
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(kept));
    expect(await actualActivity(target.objects)).toEqual(expectedActivity(kept));
    expect(await setAsideIds(target)).toEqual(['b2', 'b3']);
    expect((await batchPlaces(target.objects)).merged).toEqual(['b0', 'b1', 'b2', 'b3', 'waits']);
  });

  test('with a damaged manifest, knows from a copy of it what was set aside', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    await flip(source, 'manifest', 99);
    const { target, result } = await rebuilt(source);
    expect(result).toMatchObject({ setAside: 2, setAsideFrom: await keyLike(source, 'manifests/0000000005-') });
    expect(await setAsideIds(target)).toEqual(['b2', 'b3']);
  });

  test('takes a batch in both places once, as it was merged', async () => {
    const source = await fourMinutes();
    await upload(source, 'b1', someDetections(60, 99, 200));
    const { target, result } = await rebuilt(source);
    expect(result.batches).toBe(4);
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(PARTS.flat()));
  });

  test('keeps a batch that cannot be read, and says so', async () => {
    const source = await fourMinutes();
    await flip(source, 'batches/merged/b1', 50);
    const { target, result, problems } = await rebuilt(source);
    expect(result).toMatchObject({ batches: 3, unreadable: 1 });
    expect(await batchPlaces(target.objects)).toEqual({ waiting: ['b1'], merged: ['b0', 'b2', 'b3'] });
    expect(problems).toEqual(['error: waiting batches: batches/waiting/b1']);
  });

  test('goes on without a withdrawn batch that is gone, on which nothing depends', async () => {
    const source = await fourMinutes();
    await withdraw(source, 'b2', 'admin');
    for (let i = 0; i < 4; i++) await nextTick(source);
    await source.objects.memory.delete(['batches/merged/b2']);
    const { target, result, problems } = await rebuilt(source);
    expect(result).toMatchObject({ batches: 3, withdrawn: 1, gone: { setAside: 0, withdrawn: 1 } });
    expect(problems).toEqual(['warning: withdrawn batches: batches/merged/b2']);
    const kept = PARTS.filter((_, i) => i !== 2).flat();
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(kept));
  });

  test('takes out a withdrawn batch that was gone before ticks could', async () => {
    const source = await fourMinutes();
    await withdraw(source, 'b2', 'admin');
    await source.objects.memory.delete(['batches/merged/b2']);
    const { target } = await rebuilt(source);
    const kept = PARTS.filter((_, i) => i !== 2).flat();
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(kept));
  });

  test('goes on without a batch set aside that is gone, and says so', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    await source.objects.memory.delete(['batches/merged/b2']);
    const { target, result, problems } = await rebuilt(source);
    expect(result).toMatchObject({ batches: 2, setAside: 1, gone: { setAside: 1, withdrawn: 0 } });
    expect(problems).toEqual([]);
    expect(await setAsideIds(target)).toEqual(['b3']);
    expect(await actualInventory(target.objects)).toEqual(expectedInventory(PARTS.slice(0, 2).flat()));
  });

  test('is refused when canaries cannot be read', async () => {
    const source = await fourMinutes();
    await source.objects.memory.put('config/canaries', new Uint8Array(40));
    await expect(rebuilt(source)).rejects.toThrow(/^config\/canaries: .*RFCN.* would list canaries: put it back/);
  });

  test('needs something to build from', async () => {
    const target = newWorld();
    const source = new MemoryObjectStore();
    const failure = rebuild(source, target, lookAt(target).progress);
    await expect(failure).rejects.toThrow('there is no kept batch to build a store from');
  });
});

describe('a rebuild without the manifest', () => {
  /** A tick lost against a rollback, which set b2 and b3 aside, and died then: two copies of generation 5. */
  async function lostRace(): Promise<World> {
    const source = await fourMinutes();
    await upload(source, 'b4', someDetections(60, 7, 200));
    let isFirst = true;
    let hasLost = false;
    source.storeLog.beforeCall = async (name) => {
      hasLost ||= name === 'put lease';
      if (hasLost && name === 'get manifest') throw new Error('injected: stopped before it goes again');
      if (name !== 'put manifest' || !isFirst) return;
      isFirst = false;
      await rollback(source, 2, { requeue: false });
    };
    // The commit of the one that loses is the later in the order of keys, as half of all are.
    const late = { ...source, randomId: () => `zz${source.randomId()}` };
    await expect(tick(late)).rejects.toThrow('stopped before it goes again');
    expect(await setAsideIds(source)).toEqual(['b2', 'b3']);
    expect(await keysOf(source, 'manifests/0000000005-')).toHaveLength(2);
    return source;
  }

  test('does not decide which of two copies of one generation was published', async () => {
    const source = await lostRace();
    const [published = '', lost = ''] = await keysOf(source, 'manifests/0000000005-');
    await source.objects.memory.delete(['manifest']);
    const refused = rebuilt(source);
    await expect(refused).rejects.toThrow(`${published} and ${lost} are copies of one generation`);
    await expect(refused).rejects.toThrow(`--decisions ${published} `);
    await expect(refused).rejects.toThrow(`--decisions ${lost} `);
    await expect(refused).rejects.toThrow('--decisions none');
  });

  test('goes by the one that is chosen', async () => {
    const source = await lostRace();
    const [published = '', lost = ''] = await keysOf(source, 'manifests/0000000005-');
    await source.objects.memory.delete(['manifest']);
    const right = await rebuilt(source, published);
    expect(right.problems).toEqual([]);
    expect(right.result).toMatchObject({ setAside: 2, setAsideFrom: published, heldFrom: published });
    expect(await setAsideIds(right.target)).toEqual(['b2', 'b3']);
    const wrong = await rebuilt(source, lost);
    expect(wrong.problems).toEqual([]);
    expect(wrong.result).toMatchObject({ batches: 5, setAside: 0 });
    const screened = await rebuilt(source, 'none');
    expect(screened.result).toMatchObject({ batches: 5, setAside: 0, setAsideFrom: null, heldFrom: null });
  });

  test('does not take the last copy there is for the last generation there was', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    const key = await keyLike(source, 'manifests/0000000005-');
    await source.objects.memory.delete(['manifest', key]);
    const refused = rebuilt(source);
    await expect(refused).rejects.toThrow(/history\/0000000005-\w+ is as late as every copy of a manifest, or later/);
    await expect(refused).rejects.toThrow(`--decisions ${await keyLike(source, 'manifests/0000000004-')} `);
    // Nor does a check advise it.
    const { words } = await checked(source);
    expect(words[0]).not.toContain('Put a copy of');
  });

  test('does not take the copy that lost for the one that won, whose copy is gone', async () => {
    const source = await lostRace();
    const [published = '', lost = ''] = await keysOf(source, 'manifests/0000000005-');
    await source.objects.memory.delete(['manifest', published]);
    const refused = rebuilt(source);
    await expect(refused).rejects.toThrow(`history/${published.slice('manifests/'.length)} is as late as every copy`);
    await expect(refused).rejects.toThrow(`--decisions ${lost} `);
  });

  test('does not pass over the newest copy because it is damaged', async () => {
    const source = await fourMinutes();
    await rollback(source, 2, { requeue: false });
    const key = await keyLike(source, 'manifests/0000000005-');
    await source.objects.memory.delete(['manifest']);
    await flip(source, key, 99);
    await expect(rebuilt(source)).rejects.toThrow(`manifest: is missing; ${key}: RFMF`);
  });

  test('refuses a copy that is not there, and one whose history has a hole', async () => {
    const source = await fourMinutes();
    await expect(rebuilt(source, 'manifests/0000000003-x')).rejects.toThrow('manifests/0000000003-x: is missing');
    const key = await keyLike(source, 'history/0000000002-');
    await source.objects.memory.delete([key]);
    const copy = await keyLike(source, 'manifests/0000000003-');
    await expect(rebuilt(source, copy)).rejects.toThrow(`what was merged by generation 3 is not known: RFHI: ${key}`);
  });
});
