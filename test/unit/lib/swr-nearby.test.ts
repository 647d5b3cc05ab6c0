/**
 * What is near an isolate in the place of storage: when it is taken, what it makes of ages, and when it is not looked
 * at.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  CLOCK_DIFFERENCE_MS,
  KEEP_UP_AFTER_MS,
  NEARBY_BEHIND_MS,
  NEARBY_MS,
  type Nearby,
  REFRESH_AFTER_MS,
  SwrCache,
  type SwrCacheDeps,
} from '../../../src/lib/swr-cache.ts';

const AGES = { refreshFirstAfterMs: 30_000, maxAgeMs: 120_000 };
const LATENCY_MS = 20;

/** A store whose value is its version, something near that tests lay out, and an isolate that holds a copy. */
class World {
  version = 1;
  near: Nearby<number> | null = null;
  latencyMs = LATENCY_MS;
  reads = 0;
  looks = 0;
  isFailing = false;
  readonly confirmed: number[] = [];
  readonly copy: SwrCache<number>;

  constructor(more: Partial<SwrCacheDeps<number>> = {}) {
    this.copy = new SwrCache(
      {
        readIfChanged: async (etag) => {
          this.reads += 1;
          await sleep(this.latencyMs);
          if (this.isFailing) throw new Error('injected');
          return etag === `v${this.version}` ? 'unchanged' : { value: this.version, etag: `v${this.version}` };
        },
        nearby: async () => {
          this.looks += 1;
          return this.near;
        },
        now: () => Date.now(),
        waitUntil: () => undefined,
        sleep,
        report: () => undefined,
        confirmed: (_, at) => void this.confirmed.push(at),
        ...more,
      },
      AGES,
    );
  }

  /** Lays out what a read `agoMs` ago has found. */
  layOut(value: number, agoMs: number, open: Nearby<number>['open'] = async () => value): void {
    this.near = { etag: `v${value}`, at: Date.now() - agoMs, open };
  }

  async get(): Promise<number | null> {
    const answer = this.copy.get();
    await vi.advanceTimersByTimeAsync(2 * LATENCY_MS);
    return answer;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20) });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('what is near', () => {
  test('answers a first request, as old as the read that brought it and a difference of clocks', async () => {
    const world = new World();
    world.layOut(1, 3_000);
    const now = Date.now();
    expect(await world.copy.get()).toBe(1);
    expect(world.reads).toBe(0);
    expect(world.confirmed).toEqual([now - 3_000 - CLOCK_DIFFERENCE_MS]);
    expect(world.copy.ageMs).toBe(3_000 + CLOCK_DIFFERENCE_MS);
  });

  test.each([
    ['as old as may be', NEARBY_MS - 1, 0],
    ['older', NEARBY_MS, 1],
    ['from a clock that is ahead', 1 - CLOCK_DIFFERENCE_MS, 0],
    ['from a clock that is wrong', -CLOCK_DIFFERENCE_MS, 1],
    ['of no time at all', Number.NaN, 1],
  ])('%s: storage is read or not', async (_, agoMs, reads) => {
    const world = new World();
    world.layOut(1, agoMs);
    expect([await world.get(), world.reads]).toEqual([1, reads]);
    expect(world.copy.ageMs).toBeLessThan(REFRESH_AFTER_MS + 2 * LATENCY_MS);
  });

  test('refreshes a copy behind the answers only if it is quite new', async () => {
    const world = new World();
    await world.get();
    await later(REFRESH_AFTER_MS);
    world.layOut(1, NEARBY_BEHIND_MS);
    await world.get();
    expect(world.reads).toBe(2);
    await later(REFRESH_AFTER_MS);
    world.layOut(1, NEARBY_BEHIND_MS - 1);
    await world.get();
    expect(world.reads).toBe(2);
    expect(world.copy.ageMs).toBeLessThan(REFRESH_AFTER_MS);
  });

  test('that cannot be opened is as if it were not there', async () => {
    const world = new World();
    world.layOut(1, 0, async () => null);
    expect([await world.get(), world.reads]).toEqual([1, 1]);
  });

  test('is not opened where it only confirms what is held', async () => {
    const world = new World();
    await world.get();
    await later(AGES.refreshFirstAfterMs);
    world.layOut(1, 2_000, () => Promise.reject(new Error('opened')));
    expect([await world.get(), world.reads]).toEqual([1, 1]);
    expect(world.confirmed.at(-1)).toBe(Date.now() - 2 * LATENCY_MS - 2_000 - CLOCK_DIFFERENCE_MS);
  });

  test('that began before the copy arrived does not take its place: it may be from before it', async () => {
    const world = new World();
    await world.get();
    await later(REFRESH_AFTER_MS);
    world.latencyMs = 9_000;
    world.version = 2;
    await world.get();
    await later(9_000);
    world.latencyMs = LATENCY_MS;
    expect(world.copy.held).toBe(2);
    await later(1_000);
    world.layOut(1, 1_500);
    await world.get();
    expect([world.copy.held, world.looks, world.reads]).toEqual([2, 3, 3]);
    await later(REFRESH_AFTER_MS);
    world.layOut(3, 1_500);
    await world.get();
    expect([world.copy.held, world.looks, world.reads]).toEqual([3, 4, 3]);
  });

  test('whose value is certainly older is not taken, and fails nothing', async () => {
    const world = new World({ compare: (a, b) => a - b });
    world.version = 2;
    await world.get();
    await later(AGES.refreshFirstAfterMs);
    world.layOut(1, 0);
    expect([await world.get(), world.reads]).toEqual([2, 2]);
    expect(world.copy.hasJustFailed()).toBe(false);
  });
});

describe('storage itself is read', () => {
  test('by whoever asks what it has now', async () => {
    const world = new World();
    await world.get();
    await later(5_000);
    world.version = 2;
    world.layOut(1, 0);
    const refreshed = world.copy.refresh();
    await later(LATENCY_MS);
    expect(await refreshed).toBe(2);
    const again = world.copy.refreshIfOlder(0);
    await later(LATENCY_MS);
    await again;
    expect([world.looks, world.reads]).toEqual([1, 3]);
  });

  test('after a change elsewhere, until it has answered', async () => {
    const world = new World();
    await world.get();
    await later(5_000);
    world.version = 2;
    world.isFailing = true;
    const told = world.copy.changedElsewhere();
    await later(2_000);
    await told;
    // From before the change, by a clock within its bounds.
    world.layOut(1, 0);
    world.isFailing = false;
    expect(await world.get()).toBe(2);
    await later(AGES.refreshFirstAfterMs);
    world.layOut(2, 0);
    const { reads } = world;
    expect([await world.get(), world.reads]).toEqual([2, reads]);
  });

  test('where nothing is held and something was changed', async () => {
    const world = new World();
    await world.copy.changedElsewhere();
    world.version = 2;
    world.layOut(1, 0);
    expect(await world.get()).toBe(2);
  });

  test('by the second read of a request whose first one hangs', async () => {
    let isHanging = true;
    const world = new World({
      nearby: () => (isHanging ? new Promise(() => undefined) : Promise.reject(new Error('looked at'))),
    });
    const answer = world.copy.get();
    await later(10);
    isHanging = false;
    await later(600);
    expect(await answer).toBe(1);
  });

  test('if it fails, what is near answers, and failures are not forgotten', async () => {
    const world = new World();
    world.isFailing = true;
    expect(await world.get()).toBeNull();
    world.layOut(1, 1_000);
    expect(await world.get()).toBe(1);
    expect(world.copy.hasJustFailed()).toBe(true);
  });
});

describe('a copy that keeps up', () => {
  const [SOON, LAST] = KEEP_UP_AFTER_MS;
  const RENEWED = REFRESH_AFTER_MS + LAST;

  test('is refreshed twice after the last use, and not for ever', async () => {
    const world = new World({ keepsUp: true });
    await world.get();
    await later(SOON);
    expect(world.reads).toBe(2);
    await later(LAST - SOON);
    expect(world.reads).toBe(3);
    expect(world.copy.ageMs).toBeLessThan(3 * LATENCY_MS);
    await later(10 * RENEWED);
    expect(world.reads).toBe(3);
  });

  test('after uses of any kind, without more reads than one in ten seconds', async () => {
    const world = new World({ keepsUp: true });
    await world.get();
    for (let second = 0; second < 100; second++) {
      await later(1_000);
      if (world.copy.peek() === null) await world.get();
    }
    expect(world.reads).toBeLessThanOrEqual(11);
    const { reads } = world;
    await later(LAST + LATENCY_MS);
    expect(world.copy.ageMs).toBeLessThan(SOON);
    await later(10 * RENEWED);
    expect(world.reads - reads).toBeLessThanOrEqual(4);
  });

  test('does not while storage fails, nor where it is not asked to', async () => {
    const failing = new World({ keepsUp: true });
    await failing.get();
    failing.isFailing = true;
    const idle = new World();
    await idle.get();
    await later(RENEWED);
    expect([failing.reads, idle.reads]).toEqual([3, 1]);
    expect(failing.copy.held).toBe(1);
  });

  test('prepares for what is new before it is taken, and only where nobody waits', async () => {
    const prepared: string[] = [];
    const world = new World({
      prepare: async (next, held) => {
        prepared.push(`${held}->${next}`);
        await sleep(100);
      },
    });
    await world.get();
    await later(REFRESH_AFTER_MS);
    world.version = 2;
    expect(await world.get()).toBe(1);
    expect([prepared, world.copy.held]).toEqual([['1->2'], 1]);
    await later(100);
    expect(world.copy.held).toBe(2);
    await later(AGES.refreshFirstAfterMs);
    world.version = 3;
    expect(await world.get()).toBe(3);
    expect(prepared).toEqual(['1->2']);
  });
});
