import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readBounded } from '../../../src/lib/http-body.ts';

/** Says what was cancelled; `pulls` counts the chunks that were taken. */
function bodyOf(chunks: readonly Uint8Array[], atEnd: 'close' | 'error' | 'never' = 'close') {
  const state = { pulls: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[state.pulls];
        if (chunk !== undefined) {
          state.pulls += 1;
          controller.enqueue(chunk);
        } else if (atEnd === 'close') controller.close();
        else if (atEnd === 'error') controller.error(new Error('broken off'));
        else return new Promise<void>(() => undefined);
        return undefined;
      },
      cancel() {
        state.cancelled = true;
        // Whoever sends does not notice.
        return new Promise<void>(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, state };
}

it('is the whole body up to the bound, and beyond it null, without reading on', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 })), fc.nat(60), async (chunks, maxBytes) => {
      const { body, state } = bodyOf(chunks);
      const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
      const read = await readBounded(body, maxBytes);
      if (whole.length <= maxBytes) {
        expect(read).toEqual(whole);
        return;
      }
      let needed = 0;
      for (let sum = 0; sum <= maxBytes; needed++) sum += chunks[needed]?.length ?? 0;
      expect([read, state.pulls, state.cancelled]).toEqual([null, needed, true]);
    }),
  );
});

it('of no body is empty', async () => {
  expect(await readBounded(null, 0)).toEqual(new Uint8Array());
});

it('rejects when the body breaks off', async () => {
  await expect(readBounded(bodyOf([new Uint8Array(3)], 'error').body, 10)).rejects.toThrow('broken off');
});

it('does not wait for the sender once it is too long', async () => {
  expect(await readBounded(bodyOf([new Uint8Array(11)], 'never').body, 10)).toBeNull();
});
