import { describe, expect, test } from 'vitest';
import type { Owner } from '../../../src/format/source.ts';
import { finish, UNPACED } from '../../../src/lib/cooperate.ts';
import {
  batchesOfSet,
  batchSetOf,
  EMPTY_BATCH_SET,
  foldPages,
  PAGE_BATCHES,
  unfoldPage,
} from '../../../src/quality/batch-set.ts';
import {
  EMPTY_LEDGER,
  LEDGER_DAYS,
  type Ledger,
  MAX_SOURCES,
  newCase,
  readLedger,
  withCases,
  writeLedger,
} from '../../../src/quality/ledger.ts';
import { NO_FIGURES } from '../../../src/quality/quarantine.ts';
import { withFigures } from '../../../src/quality/screen.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';

const counted = (source: string | null, lines: number, owner: Owner = {}) => ({
  owner,
  figures: new Map([[source, { ...NO_FIGURES, lines }]]),
  hits: new Map(),
});

describe('the ledger', () => {
  test('is read as it was written, under a key of its generation', async () => {
    const objects = new MemoryObjectStore();
    const held = {
      ...newCase({ source: 'feed' }, 7),
      reasons: ['canary' as const],
      held: batchSetOf([{ id: 'b', rows: 3 }]),
    };
    const ledger: Ledger = {
      sources: [{ source: null, days: [{ day: 20_000, ...NO_FIGURES, lines: 4 }] }],
      cases: [held],
      leftOut: [{ batch: 'b', source: 'other', numbers: [12_025_550_123] }],
      leftOutPage: null,
      hits: [{ number: 12_025_550_123, detections: 2, lastAt: 9, sources: [null, 'other'] }],
    };
    const key = await writeLedger(objects, 12, 'random', ledger, UNPACED);
    expect(key).toBe('ledgers/0000000012-random');
    expect(await readLedger(objects, { ledger: key }, UNPACED)).toEqual(ledger);
    expect(await readLedger(objects, { ledger: null }, UNPACED)).toEqual(EMPTY_LEDGER);
    // A store with released rows shows it in the key.
    const due = { ...ledger, cases: [{ ...held, due: batchSetOf([{ id: 'c', rows: 1 }]) }] };
    expect(await writeLedger(objects, 12, 'random', due, UNPACED)).toBe('ledgers/0000000012-random-due');
  });

  test('that is missing, damaged or of something else is no empty one', async () => {
    const objects = new MemoryObjectStore();
    await expect(readLedger(objects, { ledger: 'ledgers/gone' }, UNPACED)).rejects.toThrow(
      'RFLE: ledgers/gone is missing',
    );
    const key = await writeLedger(objects, 1, 'a', EMPTY_LEDGER, UNPACED);
    const bytes = (await objects.get(key))?.bytes ?? new Uint8Array();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await objects.put(key, bytes);
    await expect(readLedger(objects, { ledger: key }, UNPACED)).rejects.toThrow();
  });

  test('forgets a release whose trust is over and of which nothing is left, and no other case', () => {
    const released = { ...newCase({ source: 'a' }, 0), state: 'released' as const, trust: { until: 100, reasons: [] } };
    const dropped = { ...released, source: 'b', dropped: batchSetOf([{ id: 'x', rows: 1 }]) };
    const cases = [released, dropped, newCase({ source: 'c' }, 0)];
    const names = (now: number) => withCases(EMPTY_LEDGER, cases, now).cases.map(({ source }) => source);
    expect(names(99)).toEqual(['a', 'b', 'c']);
    expect(names(100)).toEqual(['b', 'c']);
  });
});

describe('daily figures', () => {
  test('add up within a day, and go after four weeks', () => {
    let ledger = finish(withFigures(EMPTY_LEDGER, [counted(null, 3), counted('feed', 5)], 100));
    ledger = finish(withFigures(ledger, [counted(null, 4)], 100));
    ledger = finish(withFigures(ledger, [counted(null, 1)], 101));
    const days = (source: string | null) =>
      ledger.sources.find((one) => one.source === source)?.days.map(({ day, lines }) => [day, lines]);
    expect(days(null)).toEqual([
      [100, 7],
      [101, 1],
    ]);
    ledger = finish(withFigures(ledger, [], 100 + LEDGER_DAYS));
    expect([days(null), days('feed')]).toEqual([[[101, 1]], undefined]);
  });

  test('are kept of the sources with the most lines', () => {
    const many = Array.from({ length: MAX_SOURCES + 2 }, (_, i) => counted(`feed-${i}`, 1_000 - i));
    const names = finish(withFigures(EMPTY_LEDGER, many, 100)).sources.map(({ source }) => source);
    expect(names).toHaveLength(MAX_SOURCES);
    expect(names).not.toContain(`feed-${MAX_SOURCES}`);
  });

  test('of one tenant are not forgotten for names that another invents', () => {
    const honest = counted('honest', 1, { tenant: 'b', key: 'b1' });
    const flood = Array.from({ length: 2 * MAX_SOURCES }, (_, i) =>
      counted(`${i}`, 100_000, { tenant: 'a', key: `a${i % 3}` }),
    );
    const { sources } = finish(withFigures(EMPTY_LEDGER, [honest, ...flood], 100));
    expect(sources).toHaveLength(MAX_SOURCES);
    expect(sources).toContainEqual({ source: 'honest', tenant: 'b', days: expect.any(Array) });
  });

  test('of two tenants that feed one name are two, and those of no name are one a key', () => {
    const of = (tenant: string, key: string) => ({ tenant, key });
    const arrived = [
      counted('feed', 1, of('a', 'a1')),
      counted('feed', 2, of('a', 'a2')),
      counted('feed', 4, of('b', 'b1')),
      counted(null, 8, of('a', 'a1')),
      counted(null, 16, of('a', 'a2')),
      counted('feed', 32),
    ];
    const { sources } = finish(withFigures(EMPTY_LEDGER, arrived, 100));
    expect(sources.map(({ days, ...id }) => [id, days[0]?.lines])).toEqual([
      [{ source: 'feed', tenant: 'a' }, 3],
      [{ source: 'feed', tenant: 'b' }, 4],
      [{ source: null, tenant: 'a', key: 'a1' }, 8],
      [{ source: null, tenant: 'a', key: 'a2' }, 16],
      [{ source: 'feed' }, 32],
    ]);
  });
});

describe('a batch set', () => {
  test('moves what is beyond a page to pages, in order, and back', async () => {
    const objects = new MemoryObjectStore();
    let ids = 0;
    const batches = Array.from({ length: PAGE_BATCHES * 2 + 1 }, (_, i) => ({ id: `b${i}`, rows: 1 }));
    const folded = await foldPages(objects, batchSetOf(batches), () => `page-${++ids}`, UNPACED);
    expect(folded).toEqual({
      detections: batches.length,
      batches: batches.slice(-1),
      pages: ['quarantine/page-1', 'quarantine/page-2'],
    });
    expect(await batchesOfSet(objects, folded, UNPACED)).toEqual(batches);
    expect(await unfoldPage(objects, folded, UNPACED)).toBe(folded);
    const unfolded = await unfoldPage(objects, { ...folded, batches: [] }, UNPACED);
    expect([unfolded.batches.length, unfolded.pages]).toEqual([PAGE_BATCHES, ['quarantine/page-2']]);
  });

  test('with a page missing is not a smaller set', async () => {
    const set = { ...EMPTY_BATCH_SET, pages: ['quarantine/gone'] };
    await expect(batchesOfSet(new MemoryObjectStore(), set, UNPACED)).rejects.toThrow('quarantine/gone is missing');
  });
});
