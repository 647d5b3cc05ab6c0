/** A file that fails late is repaired and imported again: every line counts exactly once. */
import { utimesSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../../../src/storage/memory.ts';
import type { Interfere } from './fake-server.ts';
import { ImportWorld } from './import-world.ts';
import { dramaNumber } from './support.ts';

let world: ImportWorld;

beforeEach(async () => {
  world = await ImportWorld.start();
});
afterEach(() => world.stop());

const BAD_BYTE = Buffer.from([0xe9]);

/** Each file was last written on another day. */
function write(name: string, content: Uint8Array | string, day: number): string {
  const path = world.folder.file(name);
  writeFileSync(path, content);
  utimesSync(path, new Date(), new Date(Date.UTC(2025, 2, day)));
  return path;
}

function bare(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => `${dramaNumber(from + i)}\n`).join('');
}

function expected(from: number, to: number, day: number): string[] {
  const date = `2025-03-${String(day).padStart(2, '0')}`;
  return Array.from({ length: to - from }, (_, i) => `${dramaNumber(from + i)} ${date} 1 reported_abuse`);
}

const goesOn = (lines: number) => `goes on with an import that stopped after ${lines} lines; they are not sent again`;
/** More than one piece of a file as it is read, so that what comes before a fault is sent. */
const FILLER = `${'\n'.repeat(70_000)}`;

describe('lines without a date', () => {
  test('a bad byte late in the file, mended in a copy of another name and day', async () => {
    const damaged = write('a.csv', Buffer.concat([Buffer.from(`number\n${bare(0, 30)}${FILLER}`), BAD_BYTE]), 1);
    await expect(world.run(damaged)).rejects.toThrow('expected UTF-8 text');
    expect(await world.server.detections()).toHaveLength(30);
    const [summary] = await world.run(write('a-utf8.csv', `number\n${bare(0, 40)}`, 2));
    expect(world.io.written.join('')).toContain(goesOn(30));
    expect(summary).toMatchObject({ lines: 40, sentBefore: 30, accepted: 10, undated: 10, alreadyImported: false });
    expect(await world.server.detections()).toEqual(expected(0, 40, 1));
    const [again] = await world.run(world.folder.file('a-utf8.csv'));
    expect(again).toMatchObject({ alreadyImported: true, sentBefore: 30, accepted: 10 });
    expect(await world.server.detections()).toEqual(expected(0, 40, 1));
  });

  test('gzip cut short, and whole', async () => {
    const text = Buffer.from(`number\n${bare(0, 40)}`);
    const whole = gzipSync(text, { level: 0 });
    expect(gunzipSync(whole)).toEqual(text);
    await expect(world.run(write('a.csv.gz', whole.subarray(0, 300), 1))).rejects.toThrow('expected whole gzip data');
    const sent = (await world.server.detections()).length;
    await world.run(write('a.csv.gz', whole, 2));
    expect(await world.server.detections()).toEqual(expected(0, 40, sent === 0 ? 2 : 1));
    await world.run(write('b.csv', text, 3));
    expect(await world.server.detections()).toHaveLength(80);
  });

  test('the answer to the first upload is lost, and the file is touched before the next try', async () => {
    const path = write('a.csv', `number\n${bare(0, 5)}`, 1);
    world.server.interfere = async (_, handle) => {
      await handle();
      return { status: 400 };
    };
    await expect(world.run(path)).rejects.toThrow();
    world.server.interfere = (_, handle) => handle();
    await world.run(write('a.csv', `number\n${bare(0, 5)}`, 9));
    expect(await world.server.detections()).toEqual(expected(0, 5, 1));
  });

  test('two different files are two reports of a line, a copy of a file is none', async () => {
    await world.run(write('a.csv', `number\n${bare(0, 4)}`, 1));
    await world.run(write('b.csv', `number\n${bare(0, 4)}`, 2));
    expect(await world.server.detections()).toHaveLength(4);
    await world.run(write('c.csv', `number\n${bare(0, 3)}`, 2));
    expect(await world.server.detections()).toHaveLength(7);
  });
});

describe('which import it goes on with', () => {
  const refuseFrom =
    (first: number): Interfere =>
    async (upload, handle) =>
      upload >= first ? { status: 400 } : handle();

  async function stopAfter(uploads: number, name: string, content: string, day: number): Promise<void> {
    const sent = world.server.keys.length;
    world.server.interfere = refuseFrom(sent + uploads + 1);
    await expect(world.run(write(name, content, day))).rejects.toThrow();
    world.server.interfere = (_, handle) => handle();
  }

  test('not one that shares less than half of what was sent', async () => {
    await stopAfter(2, 'a.csv', `number\n${bare(0, 20)}`, 1);
    await world.run(write('b.csv', `number\n${bare(5, 11)}`, 2));
    expect(world.io.written.join('')).not.toContain('goes on with');
    expect(await world.server.detections()).toEqual([...expected(0, 6, 1), ...expected(5, 11, 2)].sort());
  });

  test('not one with other options', async () => {
    await stopAfter(2, 'a.csv', `number\n${bare(0, 20)}`, 1);
    await world.run(write('b.csv', `number\n${bare(0, 20)}x\n`, 2), { set: { source: 's' } });
    expect(await world.server.detections()).toHaveLength(26);
  });

  test('once: what one file went on with, the next does not', async () => {
    await stopAfter(2, 'a.csv', `number\n${bare(0, 20)}`, 1);
    await world.run(write('b.csv', `number\n${bare(0, 10)}`, 2));
    expect(await world.server.detections()).toEqual(expected(0, 10, 1));
    await world.run(write('c.csv', `number\n${bare(0, 9)}`, 3));
    expect(await world.server.detections()).toEqual([...expected(0, 10, 1), ...expected(0, 9, 3)].sort());
  });

  test('and what is left is not taken for what was sent, though the lines are the same', async () => {
    const line = `${dramaNumber(1)}\n`;
    await stopAfter(1, 'a.csv', `number\n${line.repeat(6)}`, 1);
    await world.run(write('b.csv', `number\n${line.repeat(6)}\n\n`, 2));
    expect(await world.server.detections()).toEqual(Array(6).fill(`${dramaNumber(1)} 2025-03-01 1 reported_abuse`));
  });

  test('what it sent is not sent again when the server has lost a batch of the repaired file', async () => {
    await stopAfter(2, 'a.csv', `number\n${bare(0, 20)}`, 1);
    const keep = new Set((await world.server.objects.list('batches/waiting/')).objects.map(({ key }) => key));
    const repaired = write('b.csv', `number\n${bare(0, 11)}`, 2);
    await world.run(repaired);
    const { objects } = await world.server.objects.list('batches/waiting/');
    await world.server.objects.delete(objects.map(({ key }) => key).filter((key) => !keep.has(key)));
    expect((await world.server.detections()).length).toBeLessThan(11);
    await world.run(repaired);
    expect(await world.server.detections()).toEqual(expected(0, 11, 1));
  });

  test('not one that the server has lost', async () => {
    await stopAfter(2, 'a.csv', `number\n${bare(0, 20)}`, 1);
    world.server.objects = new MemoryObjectStore();
    await world.run(write('b.csv', `number\n${bare(0, 21)}`, 2));
    expect(await world.server.detections()).toEqual(expected(0, 21, 2));
  });

  test('and an upload whose key was asked for and not there is sent with its next key', async () => {
    await stopAfter(1, 'a.csv', `number\n${bare(0, 20)}`, 1);
    await stopAfter(1, 'b.csv', `number\n${bare(0, 21)}`, 2);
    // Goes on with its own state, in which the upload that failed has the key that was used up above.
    await world.run(world.folder.file('a.csv'));
    const rows = await world.server.detections();
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows).toEqual(expected(0, 20, 1));
  });
});

test('a server that lost everything gets the same dates again, though the file was touched', async () => {
  const path = write('a.csv', `number\n${bare(0, 8)}`, 1);
  await world.run(path);
  const [lost] = (await world.server.objects.list('batches/waiting/')).objects;
  await world.server.objects.delete([lost?.key ?? '']);
  await world.run(write('a.csv', `number\n${bare(0, 8)}`, 9));
  expect(await world.server.detections()).toEqual(expected(0, 8, 1));
});

describe('property', () => {
  interface Row {
    readonly number: string;
    readonly isDated: boolean;
    /** Whether it is no number until the file is repaired. */
    readonly isBad: boolean;
  }
  const row: fc.Arbitrary<Row> = fc.record({
    number: fc.nat(11).map(dramaNumber),
    isDated: fc.boolean(),
    isBad: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  });
  const fault = fc.record({
    /** Rows before the fault of the file; null: it has none. */
    cut: fc.option(fc.nat(40)),
    way: fc.constantFrom('none', 'refused', 'refused after it was taken', 'cut off after it was taken'),
    upload: fc.integer({ min: 1, max: 6 }),
  });

  function textOf(rows: readonly Row[], isRepaired: boolean): string {
    const lines = rows.map(({ number, isDated, isBad }) => {
      return `${isBad && !isRepaired ? 'x' : number},${isDated ? '2025-01-01' : ''}\n`;
    });
    return `number,observedAt\n${lines.join('')}`;
  }

  function interference(way: string, failing: number): Interfere {
    const first = world.server.keys.length + failing;
    return async (upload, handle) => {
      if (way === 'none' || upload < first) return handle();
      if (way.endsWith('taken')) await handle();
      return way.startsWith('refused') ? { status: 400, body: { detail: 'injected' } } : 'hang up';
    };
  }

  test('whatever fails on the way, and however the whole file is ordered, each line counts once', async () => {
    let recovered = 0;
    const attempts = fc.array(fault, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        attempts,
        fc.boolean(),
        async (rows, faults, turn) => {
          await world.stop();
          world = await ImportWorld.start();
          for (const [attempt, { cut, way, upload }] of faults.entries()) {
            const text = textOf(rows.slice(0, cut ?? rows.length), false);
            const content = cut === null ? Buffer.from(text) : Buffer.concat([Buffer.from(text + FILLER), BAD_BYTE]);
            world.server.interfere = interference(way, upload);
            const isFinished = await world.run(write(`try-${attempt}.csv`, content, attempt + 1)).then(
              () => true,
              () => false,
            );
            // It was whole, and the next one would be another report.
            fc.pre(!isFinished);
          }
          recovered += (await world.server.detections()).length > 0 ? 1 : 0;
          world.server.interfere = (_, handle) => handle();
          const whole = textOf(turn ? rows.toReversed() : rows, true);
          await world.run(write('whole.csv', whole, 20));
          const found = await world.server.detections();
          const days = found.map((text) => text.split(' ').slice(0, 2).join(' '));
          const [undatedDay] = days.flatMap((text) => (text.endsWith('2025-01-01') ? [] : [text.split(' ')[1]]));
          const due = rows.map(({ number, isDated }) => `${number} ${isDated ? '2025-01-01' : undatedDay}`);
          expect(days).toEqual(due.sort());
        },
      ),
      { numRuns: 120 },
    );
    expect(recovered).toBeGreaterThan(20);
  }, 60_000);
});
