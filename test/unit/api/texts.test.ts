/** Texts that are kept for people to read: none has a control character, or parts a line. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NAME_CHARS } from '../../../src/format/attributes.ts';
import { Harness } from './harness.ts';

const NUMBER = '+12025550123';

/** Every text that a route takes and keeps, or hands on: how it is sent, and how long it may be. */
const TEXTS: Record<string, { send: (harness: Harness, text: string) => ReturnType<Harness['call']>; max: number }> = {
  'the name of a key': {
    send: (harness, name) => harness.call('POST', '/v1/keys', { json: { name, scopes: ['lookup'] } }),
    max: 100,
  },
  'the reason of an override': {
    send: (harness, reason) =>
      harness.call('PUT', '/v1/overrides', { json: { number: NUMBER, list: 'allow', reason } }),
    max: 500,
  },
  'the note of a canary': {
    send: (harness, note) => harness.call('PUT', '/v1/canaries', { json: { number: NUMBER, note } }),
    max: 200,
  },
  'the scenario of a lookup': {
    send: (harness, scenario) => harness.call('POST', '/v1/lookup', { json: { number: NUMBER, scenario } }),
    max: 64,
  },
  'the scenario of a batch': {
    send: (harness, scenario) => harness.call('POST', '/v1/lookup/batch', { json: { numbers: [NUMBER], scenario } }),
    max: 64,
  },
  'the id of a rule': {
    send: (harness, id) =>
      harness.call('PUT', '/v1/policy', { json: { rules: [{ id, when: 'true', action: 'flag' }] } }),
    max: 64,
  },
  'the name of a tenant': {
    send: (harness, tenant) => harness.call('POST', '/v1/keys', { json: { name: 'x', scopes: ['lookup'], tenant } }),
    max: 64,
  },
};

/** Inside of a text: at its ends they are trimmed. */
const unseen = fc.constantFrom(...'\r \n \r\n \t \0 \u001b \u007f \u0085 \u2028 \u2029 \ud800'.split(' '));
const letters = fc.string({ unit: fc.constantFrom('a', 'Z', '7'), minLength: 1, maxLength: 10 });

describe.each(Object.entries(TEXTS))('%s', (_, { send, max }) => {
  it('is refused with anything unseen inside, and nothing is stored', async () => {
    const harness = new Harness();
    await fc.assert(
      fc.asyncProperty(letters, unseen, letters, async (before, character, after) => {
        const puts = harness.objects.puts;
        const { status, code, text } = await send(harness, before + character + after);
        expect([status, code]).toEqual([400, 'invalid-request']);
        expect(text).not.toContain(JSON.stringify(character).slice(1, -1));
        expect(harness.objects.puts).toBe(puts);
      }),
      { numRuns: 40 },
    );
  });

  it('is bounded', async () => {
    const harness = new Harness();
    expect((await send(harness, 'a'.repeat(max))).status).toBeLessThan(300);
    const { status, code } = await send(harness, 'a'.repeat(max + 1));
    expect([status, code]).toEqual([400, 'invalid-request']);
  });
});

it('names people write are taken', async () => {
  const harness = new Harness();
  for (const name of ['Anmeldung – Zürich', '登録フォーム', 'ثبت‌نام', '👩‍💻 sign-up', "O'Neil & Sons <ops>"]) {
    const made = await harness.call('POST', '/v1/keys', { json: { name, scopes: ['lookup'] } });
    expect(made.status).toBe(201);
  }
});

it('the source that is released or dropped is bounded as it was when it was uploaded', async () => {
  const { status } = await new Harness().call('POST', '/v1/sources/drop', {
    json: { source: 'x'.repeat(MAX_NAME_CHARS + 1) },
  });
  expect(status).toBe(400);
});
