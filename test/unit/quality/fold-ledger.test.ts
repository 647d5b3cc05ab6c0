import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { frame } from '../../../src/lib/frame.ts';
import {
  batchesOfSet,
  batchSetOf,
  excludedRowsOf,
  joinBatchSets,
  LEFT_OUT_CHARS,
  PAGE_BATCHES,
} from '../../../src/quality/batch-set.ts';
import { readDropped, readExcludedRows } from '../../../src/quality/excluded-rows.ts';
import {
  EMPTY_LEDGER,
  type Ledger,
  MAX_LEDGER_BATCHES,
  newCase,
  readLedger,
  writeLedger,
} from '../../../src/quality/ledger.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';

type Entry = Ledger['leftOut'][number];

const CANARY = 12_025_550_123;
/** What a ledger may take beside what is left out: brackets and names of members. */
const EMPTY_BYTES = 200;
/** A source that is held under a name of 128 characters, without its batches. */
const CASE_BYTES = 600;
const BATCH_BYTES = 60;

function storeOf() {
  const objects = new MemoryObjectStore();
  let generation = 0;
  return {
    objects,
    /** As the next tick reads it. */
    async next(ledger: Ledger): Promise<{ readonly ledger: Ledger; readonly sizeBytes: number }> {
      const key = await writeLedger(objects, ++generation, `id${generation}`, ledger, UNPACED);
      const read = await readLedger(objects, { ledger: key }, UNPACED);
      return { ledger: read, sizeBytes: (await objects.get(key))?.bytes.length ?? 0 };
    },
  };
}

async function entriesOf(objects: MemoryObjectStore, ledger: Ledger): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const one of excludedRowsOf(objects, ledger, UNPACED)) all.push(one);
  return all;
}

const byBatch = (entries: readonly Entry[]) => entries.toSorted((a, b) => (a.batch < b.batch ? -1 : 1));

describe('what is left out', () => {
  test('of as many uploads as one likes takes as much of the ledger as of a few, and none of it is forgotten', async () => {
    const numbers = fc.constantFrom(1, 3, 1_000);
    const arriving = fc.record({ count: fc.integer({ min: 0, max: 1_500 }), numbers });
    await fc.assert(
      fc.asyncProperty(fc.array(arriving, { maxLength: 6 }), async (ticks) => {
        const store = storeOf();
        let ledger = EMPTY_LEDGER;
        const all: Entry[] = [];
        for (const [i, { count, numbers: most }] of ticks.entries()) {
          const own = Array.from({ length: Math.ceil(count / most) }, (_, j) => ({
            batch: `${i}-${j}`,
            source: j % 3 === 0 ? null : `feed-${j % 3}`,
            numbers: Array.from({ length: most }, (_, k) => CANARY + k),
          }));
          all.push(...own);
          const next = await store.next({ ...ledger, leftOut: [...ledger.leftOut, ...own] });
          ledger = next.ledger;
          expect(next.sizeBytes).toBeLessThan(1.1 * LEFT_OUT_CHARS + EMPTY_BYTES);
        }
        expect(byBatch(await entriesOf(store.objects, ledger))).toEqual(byBatch(all));
        const omissions = await readExcludedRows(store.objects, ledger, UNPACED);
        expect(omissions.size).toBe(all.length);
        for (const { batch, source, numbers: out } of all) {
          expect(omissions.get(batch)?.numbers).toEqual(new Map([[source, new Set(out)]]));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('is told of several sources of a batch together, and of the batches asked for alone', async () => {
    const store = storeOf();
    const leftOut = ['a', 'b', 'c'].flatMap((batch) => [
      { batch, source: 'x', numbers: [CANARY] },
      ...(batch === 'b' ? [{ batch, source: 'x', numbers: [CANARY + 1] }] : []),
      ...(batch === 'c' ? [{ batch, source: 'y', numbers: [CANARY] }] : []),
    ]);
    const heldOf = (source: string, ids: readonly string[]) => ({
      ...newCase({ source }, 0),
      held: batchSetOf(ids.map((id) => ({ id, rows: 1 }))),
    });
    const cases = [heldOf('z', ['a', 'd', 'e']), heldOf('w', ['d'])];
    const { ledger } = await store.next({ ...EMPTY_LEDGER, cases, leftOut });
    const omissions = await readExcludedRows(store.objects, ledger, UNPACED);
    expect(omissions.get('d')?.sources).toEqual(new Set(['z', 'w']));
    expect(omissions.get('e')).toEqual({ every: false, sources: new Set(['z']), numbers: new Map() });
    expect(omissions.get('a')).toEqual({
      every: false,
      sources: new Set(['z']),
      numbers: new Map([['x', new Set([CANARY])]]),
    });
    expect(omissions.get('b')?.numbers).toEqual(new Map([['x', new Set([CANARY, CANARY + 1])]]));
    expect(omissions.get('c')?.numbers.size).toBe(2);
    const some = await readExcludedRows(store.objects, ledger, UNPACED, (id) => id === 'c');
    expect([...some]).toEqual([['c', omissions.get('c')]]);
    expect(await readDropped(store.objects, ledger, UNPACED)).toEqual(new Map());
  });

  test('with a page missing is not less', async () => {
    const ledger = { ...EMPTY_LEDGER, leftOutPage: 'quarantine/gone' };
    await expect(readExcludedRows(new MemoryObjectStore(), ledger, UNPACED)).rejects.toThrow(
      'RFLO: quarantine/gone is missing',
    );
  });

  test('of a ledger from before there were pages is read as it was, and moved with the next', async () => {
    const store = storeOf();
    const leftOut = Array.from({ length: 5_000 }, (_, i) => ({ batch: `b${i}`, source: 'feed', numbers: [CANARY] }));
    const body = JSON.stringify({ sources: [], cases: [], leftOut, hits: [] });
    await store.objects.put('ledgers/old', frame('RFLE', 1, new TextEncoder().encode(body)));
    const old = await readLedger(store.objects, { ledger: 'ledgers/old' }, UNPACED);
    expect(old).toEqual({ ...EMPTY_LEDGER, leftOut });
    const { ledger, sizeBytes } = await store.next(old);
    expect(sizeBytes).toBeLessThan(LEFT_OUT_CHARS * 1.1);
    expect(byBatch(await entriesOf(store.objects, ledger))).toEqual(byBatch(leftOut));
  });
});

describe('batch sets of many sources', () => {
  const NAMES = Array.from({ length: 100 }, (_, i) => `${i}`.padStart(128, 'x'));

  test('are small together, whatever each upload names, on pages with many batches', async () => {
    const store = storeOf();
    let ledger: Ledger = { ...EMPTY_LEDGER, cases: NAMES.map((source) => newCase({ source }, 0)) };
    const count = 450;
    for (let i = 0; i < count; i += 10) {
      const more = batchSetOf(Array.from({ length: 10 }, (_, j) => ({ id: `batch-${i + j}`, rows: 1 })));
      const cases = ledger.cases.map((one) => ({ ...one, held: joinBatchSets(one.held, more) }));
      const next = await store.next({ ...ledger, cases });
      ledger = next.ledger;
      const inLedger = ledger.cases.reduce((sum, { held }) => sum + held.batches.length, 0);
      expect(inLedger).toBeLessThanOrEqual(MAX_LEDGER_BATCHES);
      expect(next.sizeBytes).toBeLessThan(MAX_LEDGER_BATCHES * BATCH_BYTES + NAMES.length * CASE_BYTES);
    }
    for (const { held } of ledger.cases) {
      expect(held.pages.length).toBeLessThanOrEqual(Math.ceil(count / PAGE_BATCHES));
      expect(held.detections).toBe(count);
      const ids = (await batchesOfSet(store.objects, held, UNPACED)).map(({ id }) => id);
      expect(ids).toEqual(Array.from({ length: count }, (_, i) => `batch-${i}`));
    }
  });

  test('go on when a page cannot be read: it stays as it is', async () => {
    const store = storeOf();
    const batches = Array.from({ length: PAGE_BATCHES }, (_, i) => ({ id: `batch-${i}`, rows: 1 }));
    const held = { ...batchSetOf(batches), pages: ['quarantine/gone'] };
    const cases = NAMES.slice(0, 11).map((source) => ({ ...newCase({ source }, 0), held }));
    const { ledger } = await store.next({ ...EMPTY_LEDGER, cases });
    expect(ledger.cases[0]?.held.pages[0]).toBe('quarantine/gone');
    expect(ledger.cases[0]?.held.pages).toHaveLength(2);
    expect(ledger.cases[0]?.held.batches).toEqual([]);
  });
});
