/** Two uploads with one key and a tick, each store call of each in every possible order. */
import { describe, expect, test } from 'vitest';
import type { AcceptResult } from '../../../src/ingest/accept.ts';
import { WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';
import { everySchedule, runSchedule } from './scheduler.ts';
import { type Merged, tick } from './tick.ts';
import { BODY_1, BODY_2, depsOn, sha256, upload } from './uploads.ts';

interface Run {
  readonly results: readonly AcceptResult[];
  readonly merged: Merged;
}

/**
 * Uploads the bodies at once, with one key, while a tick runs; `before` the same way but done with before they start.
 * `check` sees every outcome after two more ticks.
 */
async function race(
  bodies: readonly string[],
  before: (objects: ObjectStore, merged: Merged) => Promise<unknown>,
  check: (run: Run) => void,
): Promise<number> {
  return everySchedule(async (choices) => {
    const memory = new MemoryObjectStore();
    const merged: Merged = [];
    const results: AcceptResult[] = [];
    await before(memory, merged);
    const uploads = bodies.map((body, i) => async (objects: ObjectStore) => {
      results[i] = await upload(depsOn(objects), body, 'key-1');
    });
    const options = await runSchedule(memory, [...uploads, (objects) => tick(objects, merged)], choices);
    await tick(memory, merged);
    await tick(memory, merged);
    expect((await memory.list(WAITING_PREFIX)).objects).toEqual([]);
    check({ results, merged });
    return options;
  });
}

/** Whoever was accepted was merged, once; nobody else was. */
function expectAcceptedOnce({ results, merged }: Run, bodies: readonly string[]): void {
  expect(merged).toHaveLength(1);
  const hash = merged[0]?.bodySha256;
  const expected = bodies.map((body) => (sha256(body) === hash ? 'accepted' : 'conflict'));
  expect(results.map((result) => result.kind)).toEqual(expected);
}

const MANY_MS = 60_000;

describe.each([
  ['the same body twice', [BODY_1, BODY_1]],
  ['two bodies', [BODY_1, BODY_2]],
])('%s', (_, bodies) => {
  test(
    'first use of the key',
    async () => {
      const count = await race(
        bodies,
        async () => undefined,
        (run) => expectAcceptedOnce(run, bodies),
      );
      expect(count).toBeGreaterThan(100);
    },
    MANY_MS,
  );

  test(
    'the first body waits already',
    async () => {
      const count = await race(
        bodies,
        (objects) => upload(depsOn(objects), BODY_1, 'key-1'),
        (run) => {
          expectAcceptedOnce(run, bodies);
          expect(run.merged[0]?.bodySha256).toBe(sha256(BODY_1));
        },
      );
      expect(count).toBeGreaterThan(100);
    },
    MANY_MS,
  );

  test(
    'the first body was merged, and the second put again since',
    async () => {
      const count = await race(
        bodies,
        async (objects, merged) => {
          await upload(depsOn(objects), BODY_1, 'key-1');
          await tick(objects, merged);
          await upload(depsOn(objects), BODY_2, 'key-1');
        },
        (run) => expectAcceptedOnce(run, bodies),
      );
      expect(count).toBeGreaterThan(100);
    },
    MANY_MS,
  );
});
