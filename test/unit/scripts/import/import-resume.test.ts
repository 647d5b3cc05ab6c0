import { appendFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../../../src/storage/memory.ts';
import { ALL, CSV, ImportWorld, REJECTS } from './import-world.ts';
import { dramaNumber } from './support.ts';

let world: ImportWorld;

beforeEach(async () => {
  world = await ImportWorld.start();
});
afterEach(() => world.stop());

test('run again, by the same or another name, it says so and counts nothing', async () => {
  const path = world.folder.write('a.csv', CSV);
  const [first] = await world.run(path);
  const sent = world.server.keys.length;
  expect(await world.run(path)).toEqual([{ ...first, alreadyImported: true }]);
  // Each upload is sent with its key once more, so that the server can say what became of it.
  expect(world.server.keys.slice(sent)).toEqual(world.server.keys.slice(0, sent));
  const [copy] = await world.run(world.folder.write('b.csv', CSV));
  expect(copy).toMatchObject({ file: 'b.csv', alreadyImported: true });
  expect(await world.server.detections()).toEqual(ALL);
  expect(world.rejects()).toEqual(REJECTS);
});

test('run again without its state, it sends the same and counts nothing', async () => {
  const path = world.folder.write('a.csv', CSV);
  await world.run(path);
  rmSync(world.folder.file('state'), { recursive: true });
  const [again] = await world.run(path);
  expect(again).toMatchObject({ accepted: 8, alreadyImported: false });
  expect(world.server.keys.slice(4)).toEqual(world.server.keys.slice(0, 4));
  expect(await world.server.detections()).toEqual(ALL);
  expect(world.rejects()).toEqual(REJECTS);
});

test('a server that has lost everything is sent everything again', async () => {
  const path = world.folder.write('a.csv', CSV);
  await world.run(path);
  world.server.objects = new MemoryObjectStore();
  await world.run(path);
  expect(world.io.written.join('')).toContain('the server does not know the earlier import any more; starting over');
  expect(await world.server.detections()).toEqual(ALL);
  expect(world.rejects()).toEqual(REJECTS);
});

describe('what the server has taken back of a file that was imported', () => {
  test.each(['set-aside', 'withdrawn', 'held', 'something new'])('%s is told, with the batches', async (state) => {
    const path = world.folder.write('a.csv', CSV);
    await world.run(path);
    const all = new Set<string>();
    world.server.stateOf = (batch) => {
      all.add(batch);
      return [...all].indexOf(batch) === 1 ? state : 'merged';
    };
    const [again] = await world.run(path);
    const [, second] = [...all];
    expect(again).toMatchObject({ alreadyImported: true, uncounted: { [state]: [second] } });
    expect(Object.keys(again?.uncounted ?? {})).toEqual([state]);
    expect(await world.server.detections()).toEqual(ALL);
  });

  test('also without the state, and when going on after an interruption', async () => {
    const path = world.folder.write('a.csv', CSV);
    await world.run(path);
    world.server.stateOf = () => 'set-aside';
    rmSync(world.folder.file('state'), { recursive: true });
    const [again] = await world.run(path);
    expect(again?.uncounted['set-aside']).toHaveLength(4);
    rmSync(world.folder.file('state'), { recursive: true });
    world.server.stateOf = () => undefined;
    world.server.interfere = async (upload, handle) => (upload >= 10 ? { status: 400 } : handle());
    await expect(world.run(path)).rejects.toThrow();
    world.server.interfere = (_, handle) => handle();
    world.server.stateOf = () => 'withdrawn';
    const [resumed] = await world.run(path);
    expect(resumed?.uncounted.withdrawn?.length).toBeGreaterThan(0);
  });

  test('a server that has lost one batch of it gets that one again', async () => {
    const path = world.folder.write('a.csv', CSV);
    await world.run(path);
    const [lost] = (await world.server.objects.list('batches/waiting/')).objects;
    await world.server.objects.delete([lost?.key ?? '']);
    expect(await world.server.detections()).not.toEqual(ALL);
    await world.run(path);
    expect(await world.server.detections()).toEqual(ALL);
  });

  test('uploads of which the file makes other lines by now are not sent again', async () => {
    const labels = ['reported_abuse', ...Array(5).fill('public_sms_receiver')];
    const rows = labels.map((label, i) => `${dramaNumber(i)},2025-01-01,${label}`);
    const path = world.folder.write('a.csv', `number,observedAt,label\n${rows.join('\n')}`);
    await world.run(path);
    const counted = await world.server.detections();
    const sent = world.server.keys.length;
    world.server.labels = new Set(['public_sms_receiver']);
    const [again] = await world.run(path);
    expect(again).toMatchObject({ alreadyImported: true, accepted: 6, unasked: 1 });
    expect(world.server.keys.slice(sent)).toEqual([world.server.keys[1]]);
    expect(await world.server.detections()).toEqual(counted);
  });
});

describe('interrupted at any upload, in any way, and run again', () => {
  const ways = ['refused', 'refused after it was taken', 'cut off', 'cut off after it was taken'];

  test.each([1, 2, 3, 4].flatMap((upload) => ways.map((way) => [upload, way] as const)))(
    'upload %i %s',
    async (failing, way) => {
      const path = world.folder.write('a.csv', CSV);
      const fail = { status: 400, body: { detail: 'injected' } };
      world.server.interfere = async (upload, handle) => {
        if (upload < failing) return handle();
        if (way.endsWith('taken')) await handle();
        return way.startsWith('refused') ? fail : 'hang up';
      };
      const again =
        failing === 1 ? 'the server answers|gave up' : `${(failing - 1) * 3} lines are done; run the same command`;
      await expect(world.run(path)).rejects.toThrow(new RegExp(again));
      world.server.interfere = (_, handle) => handle();
      const [summary] = await world.run(path);
      expect(summary).toMatchObject({ lines: 10, accepted: 8, batches: 4, alreadyImported: false });
      if (failing > 1) expect(world.io.written.join('')).toContain(`resuming after ${(failing - 1) * 3} lines`);
      expect(await world.server.detections()).toEqual(ALL);
      expect(world.rejects()).toEqual(REJECTS);
    },
  );

  test('only what is left is sent, and the last upload once more', async () => {
    const path = world.folder.write('a.csv', CSV);
    world.server.interfere = async (upload, handle) => (upload === 3 ? { status: 400 } : handle());
    await expect(world.run(path)).rejects.toThrow();
    await world.run(path);
    const [first, second, third, , , last] = world.server.keys;
    expect(world.server.keys).toEqual([first, second, third, second, third, last]);
    expect(new Set(world.server.keys).size).toBe(4);
  });

  test('with another batch size, the earlier one is kept', async () => {
    const path = world.folder.write('a.csv', CSV);
    world.server.interfere = async (upload, handle) => {
      const answer = await handle();
      return upload === 3 ? { status: 400 } : answer;
    };
    await expect(world.run(path)).rejects.toThrow();
    await world.run(path, { batchSize: 7 });
    expect(await world.server.detections()).toEqual(ALL);
  });

  test('rejects of an upload that was not noted as done are not listed twice', async () => {
    const path = world.folder.write('a.csv', CSV);
    world.server.interfere = async (upload, handle) => (upload === 3 ? { status: 400 } : handle());
    await expect(world.run(path)).rejects.toThrow();
    appendFileSync(world.folder.file('rejects.csv'), 'a.csv,9,invalid-date,stopped before the state was wri');
    world.server.interfere = (_, handle) => handle();
    await world.run(path);
    expect(world.rejects()).toEqual(REJECTS);
  });

  test('a rejects file that is gone is begun anew, and said to be', async () => {
    const path = world.folder.write('a.csv', CSV);
    world.server.interfere = async (upload, handle) => (upload === 3 ? { status: 400 } : handle());
    await expect(world.run(path)).rejects.toThrow();
    rmSync(world.folder.file('rejects.csv'));
    await world.run(path);
    expect(world.io.written.join('')).toContain('rejects.csv is gone');
    expect(world.rejects()).toEqual([REJECTS[0], REJECTS[2]]);
  });
});
