import * as v from 'valibot';
import { expect, test } from 'vitest';
import { framedJson } from '../../../src/lib/frame.ts';
import { CasObject } from '../../../src/storage/cas-object.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';

const KIND = { key: 'config/keys', codec: framedJson('RFTE', 1, v.array(v.number())), empty: [] };

test('a change waits out the second in which the store takes no other write of the key, whatever is drawn', async () => {
  for (const drawn of [0, 1, 128, 255]) {
    let now = 0;
    let writtenAt = Number.NEGATIVE_INFINITY;
    const objects = new MemoryObjectStore(() => now);
    const put = objects.put.bind(objects);
    // As R2 does.
    objects.put = async (...args) => {
      if (now - writtenAt < 1000) throw new Error('too many writes of one key');
      writtenAt = now;
      return put(...args);
    };
    const object = new CasObject(
      {
        objects,
        randomBytes: (length) => new Uint8Array(length).fill(drawn),
        sleep: async (ms) => {
          now += ms;
        },
        report: () => undefined,
      },
      KIND,
    );
    for (let value = 1; value <= 3; value++) {
      expect(await object.change((values) => [...values, value])).not.toBe('unavailable');
    }
    expect((await object.read()).value).toEqual([1, 2, 3]);
  }
});
