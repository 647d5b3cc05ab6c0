import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SwrCache, type SwrCacheDeps, type Version } from '../../../src/lib/swr-cache.ts';

const AGES = { refreshFirstAfterMs: 30_000, maxAgeMs: 120_000 };
const HOUR_MS = 3_600_000;

/** An answer of storage on its way: what it says is settled by `serve`, and known here once delivered. */
interface Read {
  readonly etag: string | null;
  readonly serve: () => void;
  readonly deliver: () => void;
  readonly fail: () => void;
}

/** A store with one object, whose value is its version, and an isolate that holds it. */
class World {
  version = 1;
  readonly reads: Read[] = [];
  /** Milliseconds that storage takes; null: until a test delivers. */
  latencyMs: number | null = 20;
  isFailing = false;
  readonly reported: unknown[] = [];
  readonly background: Promise<unknown>[] = [];
  readonly copy: SwrCache<number>;

  constructor(more: Partial<SwrCacheDeps<number>> = {}, ages = AGES) {
    this.copy = new SwrCache(
      {
        readIfChanged: (etag) => this.#read(etag),
        now: () => Date.now(),
        waitUntil: (work) => void this.background.push(work),
        sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
        report: (error) => void this.reported.push(error),
        ...more,
      },
      ages,
    );
  }

  get written(): Version<number> {
    return { value: this.version, etag: `v${this.version}` };
  }

  #read(etag: string | null): Promise<Version<number> | 'unchanged'> {
    const { promise, resolve, reject } = Promise.withResolvers<Version<number> | 'unchanged'>();
    let served: Version<number> | null = null;
    const serve = () => {
      served ??= this.written;
    };
    const deliver = () => {
      serve();
      resolve(served?.etag === etag ? 'unchanged' : (served as unknown as Version<number>));
    };
    const fail = () => reject(new Error('injected'));
    this.reads.push({ etag, serve, deliver, fail });
    if (this.latencyMs !== null) setTimeout(this.isFailing ? fail : deliver, this.latencyMs);
    return promise;
  }
}

/** Begins that many requests at once, and lets time pass until all are answered. */
async function burst(world: World, requests: number): Promise<(number | null)[]> {
  const all = Promise.all(Array.from({ length: requests }, () => world.copy.get()));
  await vi.advanceTimersByTimeAsync(10_000);
  return all;
}

async function get(world: World): Promise<number | null> {
  return (await burst(world, 1))[0] ?? null;
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 20) });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('many at once', () => {
  test('with no copy yet: all wait for the one read', async () => {
    const world = new World();
    expect(await burst(world, 50)).toEqual(Array(50).fill(1));
    expect(world.reads).toHaveLength(1);
  });

  test.each([
    ['half a minute', 30_000],
    ['three hours', 3 * HOUR_MS],
  ])('after %s without requests: all wait for the one read, and none gets the old copy', async (_, idleMs) => {
    const world = new World();
    await get(world);
    world.version = 2;
    await vi.advanceTimersByTimeAsync(idleMs);
    expect(await burst(world, 50)).toEqual(Array(50).fill(2));
    expect(world.reads).toHaveLength(2);
  });

  test('those that come while the read is under way wait for it too', async () => {
    const world = new World();
    await get(world);
    world.version = 2;
    world.latencyMs = 400;
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    const answers: Promise<number | null>[] = [];
    for (let i = 0; i < 40; i++) {
      answers.push(world.copy.get());
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(await Promise.all(answers)).toEqual(Array(40).fill(2));
    expect(world.reads).toHaveLength(2);
  });

  test('while requests come in none waits, and one in ten seconds reads', async () => {
    const world = new World();
    await get(world);
    const begun = world.reads.length;
    for (let second = 0; second < 60; second++) {
      const answer = world.copy.get();
      // Nothing that it awaits takes time.
      await vi.advanceTimersByTimeAsync(0);
      expect(await answer).toBe(1);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(world.reads.length - begun).toBeLessThanOrEqual(6);
  });
});

describe('a request that dies', () => {
  test('while others wait for its read: they read for themselves, and only a few', async () => {
    const world = new World();
    await get(world);
    world.version = 2;
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    // Its read is answered to nobody.
    world.latencyMs = null;
    void world.copy.get();
    await vi.advanceTimersByTimeAsync(1);
    world.latencyMs = 20;
    const answers = Promise.all(Array.from({ length: 50 }, () => world.copy.get()));
    await vi.advanceTimersByTimeAsync(600);
    expect(await answers).toEqual(Array(50).fill(2));
    expect(world.reads).toHaveLength(3);
  });

  test('with the read behind the answers: after ten seconds another begins', async () => {
    const world = new World();
    await get(world);
    await vi.advanceTimersByTimeAsync(10_000);
    world.latencyMs = null;
    expect(await world.copy.get()).toBe(1);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(await world.copy.get()).toBe(1);
    expect(world.reads).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_000);
    // By now half a minute is over, so this one waits.
    world.latencyMs = 20;
    expect(await get(world)).toBe(1);
    expect(world.reads).toHaveLength(3);
  });
});

describe('storage that fails', () => {
  test('leaves the copy until it is too old, and then none; one in five seconds finds out', async () => {
    const world = new World();
    await get(world);
    world.isFailing = true;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await burst(world, 10)).toEqual(Array(10).fill(1));
    expect(world.reads).toHaveLength(2);
    expect(world.reported).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await get(world)).toBe(1);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await burst(world, 10)).toEqual(Array(10).fill(null));
    world.isFailing = false;
    expect(await burst(world, 10)).toEqual(Array(10).fill(1));
  });

  test('or hangs: who has a copy waits a second, who has none five, and then only one at a time half a second', async () => {
    const world = new World();
    await get(world);
    world.latencyMs = null;
    await vi.advanceTimersByTimeAsync(40_000);
    const early = world.copy.get();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await early).toBe(1);
    // At once.
    expect(await world.copy.get()).toBe(1);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    const late = world.copy.get();
    let isAnswered = false;
    void late.then(() => {
      isAnswered = true;
    });
    await vi.advanceTimersByTimeAsync(4_900);
    expect(isAnswered).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(await late).toBeNull();
    const trial = world.copy.get();
    // At once, beside it.
    expect(await world.copy.get()).toBeNull();
    await vi.advanceTimersByTimeAsync(500);
    expect(await trial).toBeNull();
    // What was asked for then lands after all.
    world.version = 2;
    world.reads.at(-1)?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(await world.copy.get()).toBe(2);
  });

  test.each([
    ['without a copy', null, 1],
    ['with one to go on with', 40_000, 2],
    ['with one that is too old', HOUR_MS, 2],
  ])('for one read only is no outage, %s: who waits for its own begins another', async (_, idleMs, version) => {
    const world = new World();
    if (idleMs !== null) {
      await get(world);
      world.version = version;
      await vi.advanceTimersByTimeAsync(idleMs);
    }
    const before = world.reads.length;
    world.latencyMs = null;
    const answer = world.copy.get();
    world.latencyMs = 20;
    await vi.advanceTimersByTimeAsync(550);
    expect(await Promise.race([answer, 'still waiting'])).toBe(version);
    expect(world.reads).toHaveLength(before + 2);
  });

  test('for all reads: a lone request begins three, and once it has given up, the next finds storage healthy', async () => {
    const world = new World();
    world.latencyMs = null;
    expect(await get(world)).toBeNull();
    expect(world.reads).toHaveLength(3);
    world.latencyMs = null;
    // Ten seconds have passed by then: once more, and ask right after it has given up.
    const second = world.copy.get();
    await vi.advanceTimersByTimeAsync(5000);
    expect(await second).toBeNull();
    world.latencyMs = 20;
    const next = world.copy.get();
    await vi.advanceTimersByTimeAsync(30);
    expect(await Promise.race([next, 'still waiting'])).toBe(1);
    expect(world.copy.hasJustFailed()).toBe(false);
  });

  test('for all reads and for long: however many ask, two reads a second at most, and one request waits', async () => {
    const world = new World();
    world.latencyMs = null;
    let open = 0;
    const openAt: number[] = [];
    for (let elapsedMs = 0; elapsedMs < 30_000; elapsedMs += 10) {
      open += 1;
      void world.copy.get().then(() => {
        open -= 1;
      });
      await vi.advanceTimersByTimeAsync(10);
      if (elapsedMs > 10_000) openAt.push(open);
    }
    expect(world.reads.length).toBeGreaterThan(40);
    expect(world.reads.length).toBeLessThanOrEqual(61);
    expect(Math.max(...openAt)).toBeLessThanOrEqual(1);
  });

  test('reads of a storage that is slow are bounded, however many wait', async () => {
    const world = new World();
    await get(world);
    world.version = 2;
    world.latencyMs = 3000;
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    expect(await burst(world, 200)).toEqual(Array(200).fill(2));
    expect(world.reads.length).toBeLessThanOrEqual(7);
  });

  test('without a copy to go on with: the next request tries again', async () => {
    const world = new World();
    world.isFailing = true;
    expect(await burst(world, 10)).toEqual(Array(10).fill(null));
    world.isFailing = false;
    expect(await get(world)).toBe(1);
  });

  test('an old failure that comes late says nothing of storage as it is now', async () => {
    const world = new World();
    world.latencyMs = null;
    const first = world.copy.get();
    const second = world.copy.get();
    await vi.advanceTimersByTimeAsync(600);
    world.reads[1]?.deliver();
    await vi.advanceTimersByTimeAsync(50);
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    world.reads[0]?.fail();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.hasJustFailed()).toBe(false);
  });
});

describe('clocks', () => {
  test('that are set back: the copy is looked at again, and ages from there', async () => {
    const world = new World();
    await get(world);
    vi.setSystemTime(Date.now() - HOUR_MS);
    world.version = 2;
    expect(world.copy.peek()).toBeNull();
    expect(await burst(world, 5)).toEqual(Array(5).fill(2));
    expect(world.copy.ageMs).toBe(10_000);
  });
});

describe('reads that cross', () => {
  /** Two reads under way at once, answered as the test says. */
  async function crossing(world: World): Promise<readonly [Read, Read]> {
    world.latencyMs = null;
    const from = world.reads.length;
    void world.copy.refresh().catch(() => undefined);
    void world.copy.refresh().catch(() => undefined);
    const [a, b] = world.reads.slice(from);
    if (a === undefined || b === undefined) throw new Error('expected two reads');
    return [a, b];
  }

  test.each([0, 1])('the one that was answered with the older value lands last: read %i', async (slow) => {
    const world = new World();
    await get(world);
    const reads = await crossing(world);
    const [old, young] = slow === 0 ? reads : [reads[1], reads[0]];
    world.version = 2;
    old.serve();
    world.version = 3;
    young.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.peek()).toBe(3);
    old.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.peek()).toBe(3);
  });

  test('where values tell: the newer stays, whichever lands last, and counts as confirmed', async () => {
    const world = new World({ compare: (a, b) => a - b });
    await get(world);
    const [a, b] = await crossing(world);
    world.version = 2;
    a.serve();
    world.version = 3;
    b.serve();
    a.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.peek()).toBe(2);
    b.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.peek()).toBe(3);
  });

  test('an older value that is put back by hand is followed after two minutes, not before', async () => {
    const world = new World({ compare: (a, b) => a - b });
    world.version = 7;
    await get(world);
    world.version = 6;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await get(world)).toBe(7);
    expect(String(world.reported[0])).toContain('older version');
    await vi.advanceTimersByTimeAsync(90_000);
    expect(await get(world)).toBe(6);
  });

  test('that find nothing new: the copy is as young as the later one makes it, whichever lands last', async () => {
    const world = new World();
    await get(world);
    world.latencyMs = null;
    void world.copy.refresh();
    await vi.advanceTimersByTimeAsync(700);
    void world.copy.refresh();
    world.reads[2]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.ageMs).toBe(0);
    world.reads[1]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.ageMs).toBe(0);
  });

  test('the end of one that was given up does not let another begin beside its successor', async () => {
    const world = new World();
    await get(world);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    world.latencyMs = null;
    void world.copy.get();
    await vi.advanceTimersByTimeAsync(510);
    void world.copy.get();
    await vi.advanceTimersByTimeAsync(10);
    expect(world.reads).toHaveLength(3);
    world.reads[1]?.fail();
    await vi.advanceTimersByTimeAsync(0);
    void world.copy.get();
    await vi.advanceTimersByTimeAsync(10);
    expect(world.reads).toHaveLength(3);
  });

  test('what was asked for as the newest is none of the time before, even if such a read lands meanwhile', async () => {
    const world = new World();
    await get(world);
    world.latencyMs = null;
    void world.copy.refresh();
    world.version = 2;
    world.reads[1]?.serve();
    world.version = 3;
    const asked = world.copy.refresh();
    world.reads[2]?.serve();
    world.reads[1]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    world.reads[2]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    world.reads[3]?.deliver();
    expect(await asked).toBe(3);
  });
});

describe('changes made here', () => {
  test('are not undone by a read that began before them', async () => {
    const world = new World();
    await get(world);
    world.latencyMs = null;
    world.version = 2;
    void world.copy.refresh().catch(() => undefined);
    world.reads[1]?.serve();
    const begun = world.copy.begin();
    world.version = 3;
    world.copy.accept(world.written, begun);
    world.reads[1]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.peek()).toBe(3);
  });

  test('whose answer is slow do not undo what was read since, and storage is asked first', async () => {
    const world = new World();
    await get(world);
    const begun = world.copy.begin();
    world.version = 2;
    const { written } = world;
    world.version = 3;
    const refreshed = world.copy.refresh();
    await vi.advanceTimersByTimeAsync(50);
    expect(await refreshed).toBe(3);
    world.version = 4;
    world.copy.accept(written, begun);
    expect(world.copy.peek()).toBeNull();
    expect(await get(world)).toBe(4);
  });

  test('after which nobody knows what is the newest: reads that were under way do not tell', async () => {
    const world = new World();
    await get(world);
    const begun = world.copy.begin();
    world.latencyMs = null;
    void world.copy.refresh().catch(() => undefined);
    void world.copy.refresh().catch(() => undefined);
    world.reads[1]?.serve();
    world.version = 2;
    world.reads[2]?.serve();
    world.version = 3;
    world.copy.accept('unavailable', begun);
    for (const read of world.reads) read.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.peek()).toBeNull();
    world.latencyMs = 20;
    expect(await get(world)).toBe(3);
  });

  test('that may have been made or not: storage is asked first', async () => {
    const world = new World();
    await get(world);
    const begun = world.copy.begin();
    world.version = 2;
    world.copy.accept('unavailable', begun);
    expect(world.copy.peek()).toBeNull();
    expect(await burst(world, 3)).toEqual([2, 2, 2]);
  });
});

describe('changes made elsewhere, that this isolate has asked for', () => {
  test('cost nothing where nothing is held and nobody reads', async () => {
    const world = new World();
    await world.copy.changedElsewhere();
    expect(world.reads).toEqual([]);
    expect(await get(world)).toBe(1);
  });

  test('are not missed by a first read that was under way', async () => {
    const world = new World();
    world.latencyMs = null;
    const first = world.copy.get();
    world.reads[0]?.serve();
    world.version = 2;
    world.latencyMs = 20;
    const told = world.copy.changedElsewhere();
    world.reads[0]?.deliver();
    await vi.advanceTimersByTimeAsync(100);
    await told;
    expect([await first, world.copy.peek()]).toEqual([1, 2]);
  });

  test('do not make a copy recent for who waits for a read, since they confirm nothing', async () => {
    const world = new World();
    await get(world);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    world.version = 2;
    world.latencyMs = null;
    const waiting = world.copy.get();
    world.latencyMs = 20;
    const told = world.copy.changedElsewhere();
    await vi.advanceTimersByTimeAsync(2000);
    await told;
    expect(await waiting).toBe(2);
  });

  test.each(['before', 'after'])(
    'are looked for by whoever asks next, though a read failed moments %s',
    async (when) => {
      const world = new World();
      await get(world);
      await vi.advanceTimersByTimeAsync(40_000);
      world.isFailing = true;
      if (when === 'before') {
        void world.copy.get();
        await vi.advanceTimersByTimeAsync(100);
        world.isFailing = false;
      }
      world.version = 2;
      const told = world.copy.changedElsewhere();
      await vi.advanceTimersByTimeAsync(1000);
      await told;
      if (when === 'before') expect(world.copy.peek()).toBe(2);
      world.isFailing = false;
      const asked = world.copy.get();
      await vi.advanceTimersByTimeAsync(100);
      expect(await asked).toBe(2);
    },
  );

  test('are not known where that look fails too: what was held answers, until it is too old', async () => {
    const world = new World();
    await get(world);
    world.isFailing = true;
    world.version = 2;
    const told = world.copy.changedElsewhere();
    await vi.advanceTimersByTimeAsync(1000);
    await told;
    expect(await get(world)).toBe(1);
    expect(world.reads).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(AGES.maxAgeMs);
    expect(await get(world)).toBeNull();
    world.isFailing = false;
    expect(await get(world)).toBe(2);
  });

  test('where storage then fails, are looked for by whoever asks next, whatever was under way', async () => {
    const world = new World();
    world.latencyMs = null;
    void world.copy.get();
    void world.copy.refresh().catch(() => undefined);
    for (const read of world.reads) read.serve();
    world.version = 2;
    const told = world.copy.changedElsewhere();
    await vi.advanceTimersByTimeAsync(10_000);
    await told;
    // Both from before the change: the second confirms what the first has said.
    world.reads[0]?.deliver();
    world.reads[1]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.copy.held).toBe(1);
    expect(world.copy.peek()).toBeNull();
    world.latencyMs = 20;
    expect(await get(world)).toBe(2);
  });

  test('what a read from before them says may be newer than the copy, and is not the newest', async () => {
    const world = new World({ compare: (a, b) => a - b });
    await get(world);
    world.latencyMs = null;
    world.version = 2;
    void world.copy.refresh().catch(() => undefined);
    world.reads[1]?.serve();
    world.version = 3;
    void world.copy.changedElsewhere();
    world.reads[1]?.deliver();
    await vi.advanceTimersByTimeAsync(0);
    expect([world.copy.held, world.copy.peek()]).toEqual([2, null]);
  });
});

/** What can happen; an index names one of the reads or changes that are under way. */
type Event =
  | { readonly kind: 'change elsewhere' | 'told of a change' | 'refresh' | 'get' | 'begin own change' }
  | { readonly kind: 'serve' | 'deliver' | 'fail' | 'commit own change' | 'accept own change'; readonly index: number }
  | { readonly kind: 'clock'; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('change elsewhere' as const, 'told of a change', 'refresh', 'get', 'begin own change'),
  }),
  fc.record({
    kind: fc.constantFrom('serve' as const, 'deliver', 'fail', 'commit own change', 'accept own change'),
    index: fc.nat({ max: 40 }),
  }),
  // As a rule little: on the platform the clock stands still for long.
  fc.record({ kind: fc.constant('clock' as const), ms: fc.constantFrom(0, 1, 1, 1, 700, 700, 10_000, 130_000) }),
);

describe.each([true, false])('whatever crosses (values tell: %s)', (tells) => {
  test('the copy never goes back, is never older than its age says, and catches up', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 60, size: 'max' }), async (events) => {
        const world = new World(tells ? { compare: (a, b) => a - b } : {});
        world.latencyMs = null;
        /** The version that was current from each time on. */
        const history = [{ at: Date.now(), version: 1 }];
        const change = () => {
          world.version += 1;
          history.push({ at: Date.now(), version: world.version });
        };
        const currentAt = (time: number) => history.findLast(({ at }) => at < time)?.version ?? 1;
        const tooOld: number[] = [];
        /** An answer is none that was superseded before `since`. */
        const answered = (since: number) => (version: number | null) => {
          if (version !== null && version < currentAt(since)) tooOld.push(version);
        };
        const own: { begun: ReturnType<typeof world.copy.begin>; version: Version<number> | null; ended: boolean }[] =
          [];
        // The latest ones are the most likely to be under way still.
        const pick = <T>(list: readonly T[], index: number): T | undefined => list.at(-1 - (index % 6));
        let seen = 0;
        for (const one of events) {
          if (one.kind === 'change elsewhere' || one.kind === 'told of a change') change();
          if (one.kind === 'told of a change') void world.copy.changedElsewhere();
          if (one.kind === 'refresh') void world.copy.refresh().catch(() => undefined);
          if (one.kind === 'get') void world.copy.get().then(answered(Date.now() - AGES.maxAgeMs));
          if (one.kind === 'begin own change') own.push({ begun: world.copy.begin(), version: null, ended: false });
          if (one.kind === 'serve') pick(world.reads, one.index)?.serve();
          if (one.kind === 'deliver') pick(world.reads, one.index)?.deliver();
          if (one.kind === 'fail') pick(world.reads, one.index)?.fail();
          const mine = 'index' in one ? pick(own, one.index) : undefined;
          if (one.kind === 'commit own change' && mine?.version === null) {
            change();
            mine.version = world.written;
          }
          if (one.kind === 'accept own change' && mine !== undefined && !mine.ended) {
            mine.ended = true;
            world.copy.accept(mine.version ?? 'unavailable', mine.begun);
          }
          await vi.advanceTimersByTimeAsync(one.kind === 'clock' ? one.ms : 0);
          expect(tooOld).toEqual([]);
          const held = world.copy.peek();
          if (held === null) continue;
          expect(held).toBeGreaterThanOrEqual(seen);
          seen = held;
          const confirmedAt = Date.now() - world.copy.ageMs;
          expect(held).toBeGreaterThanOrEqual(currentAt(confirmedAt));
        }
        world.latencyMs = 20;
        await vi.advanceTimersByTimeAsync(HOUR_MS);
        expect(await get(world)).toBe(world.version);
      }),
      { numRuns: 300 },
    );
  });
});
