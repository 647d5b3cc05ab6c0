/** The model's times by hand, and which calls of the real tick are under way together. */
import { expect, test } from 'vitest';
import { TODAY } from '../../../../bench/simulate/assumptions.ts';
import {
  compactionMs,
  concurrentEnds,
  foldAndWriteMs,
  latencies,
  MeasuredWorld,
  mergeMs,
  openMs,
  SETTLE_CALLS,
  settleEnds,
  sumOfCalls,
} from '../../../../bench/simulate/tick-calls.ts';
import { Random } from '../../../../bench/support/random.ts';
import { CONNECTIONS } from '../../../../src/lib/concurrency.ts';
import { DEFAULT_BUDGET } from '../../../../src/merge/context.ts';
import { BATCHES_AHEAD } from '../../../../src/merge/take.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { MANIFEST_KEY } from '../../../../src/storage/keys.ts';

/** Every call takes one millisecond. */
const evenly = sumOfCalls;

test('side by side: six chains at a time, the next as soon as any is done', () => {
  expect(concurrentEnds(evenly, SETTLE_CALLS, 8)).toEqual([2, 2, 2, 2, 2, 2, 4, 4]);
  expect(settleEnds(evenly, 13).at(-1)).toBe(6);
  const durations = [10, 1, 1, 1, 1, 1, 5, 5];
  expect(concurrentEnds(() => durations.shift() ?? 0, SETTLE_CALLS, 8)).toEqual([10, 1, 1, 1, 1, 1, 6, 6]);
});

test('a fold reads one segment after another while the pack before is written', () => {
  // Writing a full pack takes 2, with its slices side by side, and reading its segments 4: only the last is waited for.
  expect(foldAndWriteMs(evenly, 20, 20, 0, true)).toBe(20 + 2);
  expect(foldAndWriteMs(evenly, 20, 20, 10, true)).toBe(20 * 11 + 2);
  expect(foldAndWriteMs(evenly, 20, 20, 10, false)).toBe(20 * 11 + 1);
  // Without reads, each pack waits for the one before.
  expect(foldAndWriteMs(evenly, 0, 12, 0, true)).toBe(2 + 2 + 2);
  expect(foldAndWriteMs(evenly, 0, 13, 0, true)).toBe(2 + 2 + 2 + 2);
  expect(foldAndWriteMs(evenly, 0, 17, 0, false)).toBe(5);
});

test('batches: six at a time, and none before its turn is near', () => {
  expect([0, 1, 6, 7, 30].map((batches) => openMs(evenly, batches))).toEqual([0, 1, 1, 2, 5]);
  // One is slow: those next to it are read meanwhile, and the others when it has come.
  const slowFirst = () => {
    const durations = [100];
    return () => durations.shift() ?? 1;
  };
  expect(openMs(slowFirst(), BATCHES_AHEAD)).toBe(100);
  expect(openMs(slowFirst(), BATCHES_AHEAD + 3)).toBe(101);
});

test('a merge: the page, batches, columns side by side, segments, the ledger, the swap', () => {
  const shape = { batches: 8, columnReads: 9, joinedSegments: 1, writtenSegments: 1 };
  expect(mergeMs(evenly, shape, 7)).toBe(1 + 2 + 2 + (1 + 7) + 2 + 3);
  expect(mergeMs(evenly, { ...shape, writtenSegments: 2 }, 7)).toBe(1 + 2 + 2 + (1 + 7 + 1) + 2 + 3);
  expect(compactionMs(evenly, 80, 0)).toBe(96 + 2 + 1 + 3);
});

test('with latencies that vary, many calls still take about a sixth of their sum', () => {
  const lasts = latencies(new Random(1), 1);
  const times = 600;
  const sum = Array.from({ length: times }, () => lasts(SETTLE_CALLS)).reduce((a, b) => a + b, 0);
  const end = Math.max(...concurrentEnds(lasts, SETTLE_CALLS, times));
  expect(Math.abs(end / (sum / CONNECTIONS) - 1)).toBeLessThan(0.1);
});

/** Most calls of each kind that were under way together. */
class Watcher {
  readonly most: Record<string, number> = {};
  readonly #underWay = new Map<string, number>();
  #phase = 'before';

  /** The same store, with calls that take a while. */
  watch<Store extends object>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          const key = String(args[0]);
          const kind = `${this.#phase} ${String(name)} ${key.replace(/[^/]*$/, '')}`;
          const count = (this.#underWay.get(kind) ?? 0) + 1;
          this.#underWay.set(kind, count);
          this.most[kind] = Math.max(this.most[kind] ?? 0, count);
          await this.#hold(kind);
          this.#underWay.set(kind, (this.#underWay.get(kind) ?? 0) - 1);
          if (name === 'put' && key === MANIFEST_KEY) this.#phase = 'after';
          const result: unknown = await Reflect.apply(method, target, args);
          return result;
        };
      },
    });
  }

  async #hold(kind: string): Promise<void> {
    const untilMs = performance.now() + 5;
    while (performance.now() < untilMs && (this.most[kind] ?? 0) < CONNECTIONS) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('the real tick: what is under way together', { timeout: 60_000 }, async () => {
  const world = new MeasuredWorld({ ...DEFAULT_BUDGET, inlineRecords: 400_000, compactionSegments: 1 });
  await world.upload(new Random(1), 230_000, TODAY.numbers);
  await world.tick();
  for (let seed = 2; seed < 10; seed++) {
    // So sparse that they spread over all segments.
    await world.upload(new Random(seed), 6_000, TODAY.numbers / 46);
  }
  const watcher = new Watcher();
  const { objects, slices } = world.context;
  await tick({ ...world.context, objects: watcher.watch(objects), slices: watcher.watch(slices) });
  expect(watcher.most).toMatchObject({
    'before get batches/waiting/': 8,
    'before head batches/merged/': 8,
    'before getRange segments/': CONNECTIONS,
    'before put segments/': 1,
    'after put batches/merged/': CONNECTIONS,
  });
});
