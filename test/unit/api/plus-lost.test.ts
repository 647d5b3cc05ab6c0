/** A lookup of a text whose plus sign may be lost: the middleware asks so. */
import { beforeEach, describe, expect, it } from 'vitest';
import { lookupByRpc } from '../../../src/api/rpc.ts';
import { Harness, LISTED } from './harness.ts';

/** `15715550123` with DE and without. */
const AT_HOME = 4_915_715_550_123;
const ABROAD = 15_715_550_123;

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});

const TEXT = '15715550123';
const post = async (more: object = {}) =>
  harness.call('POST', '/v1/lookup', { json: { number: TEXT, country: 'DE', plusMayBeLost: true, ...more } });

describe('both readings are looked up', () => {
  it.each([AT_HOME, ABROAD])('the listed one is answered: %i', async (listed) => {
    harness.findings.set(listed, LISTED);
    for (const inMemory of [false, true]) {
      harness.inMemory = inMemory;
      expect((await post()).json).toMatchObject({ number: `+${listed}`, verdict: 'listed', action: 'block' });
      expect((await post({ evidence: true })).json).toMatchObject({ number: `+${listed}`, action: 'block' });
      expect((await post({ receipt: true })).json).toMatchObject({ number: `+${listed}`, action: 'block' });
      expect((await post({ asOf: '2025-05-30' })).json).toMatchObject({ number: `+${listed}`, action: 'block' });
    }
    const input = { number: TEXT, country: 'DE', plusMayBeLost: true };
    expect(await lookupByRpc(harness.services, {}, input)).toMatchObject({
      ok: true,
      answer: { number: `+${listed}` },
    });
  });

  it('the national one, if they are alike', async () => {
    expect((await post()).json).toMatchObject({ number: `+${AT_HOME}`, verdict: 'clear' });
    harness.findings.set(AT_HOME, LISTED);
    harness.findings.set(ABROAD, LISTED);
    expect((await post()).json).toMatchObject({ number: `+${AT_HOME}`, verdict: 'listed' });
  });

  it('unless nothing is said, or nothing is lost', async () => {
    harness.findings.set(ABROAD, LISTED);
    for (const plusMayBeLost of [false, null, undefined]) {
      expect((await post({ plusMayBeLost })).json).toMatchObject({ number: `+${AT_HOME}`, verdict: 'clear' });
    }
    expect((await post({ number: '0157 15550123' })).json).toMatchObject({ number: `+${AT_HOME}` });
    expect((await post({ number: `+${AT_HOME}` })).json).toMatchObject({ number: `+${AT_HOME}` });
    for (const country of ['', null]) {
      expect((await post({ country })).json).toMatchObject({ number: `+${ABROAD}`, verdict: 'listed' });
    }
  });

  it('one of them may be no number', async () => {
    expect((await post({ number: '12025550123' })).json).toMatchObject({ number: expect.stringMatching(/^\+/) });
    expect((await post({ number: '12025550123', country: 'PH' })).json).toMatchObject({ number: '+12025550123' });
    expect((await post({ number: '09171234567', country: 'PH' })).json).toMatchObject({ number: '+639171234567' });
    const none = await post({ number: '12', country: 'PH' });
    expect([none.status, none.code]).toEqual([400, 'invalid-number']);
    expect(Object(none.json).detail).toBe(
      Object((await post({ number: '12', country: 'PH', plusMayBeLost: false })).json).detail,
    );
  });

  it('one that storage cannot answer for does not hide a block', async () => {
    harness.findings.set(AT_HOME, null);
    expect((await post()).status).toBe(503);
    harness.findings.set(ABROAD, LISTED);
    expect((await post()).json).toMatchObject({ number: `+${ABROAD}`, action: 'block' });
  });

  it('the field is true or false', async () => {
    const { status, code, json } = await post({ plusMayBeLost: 'yes' });
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ field: 'plusMayBeLost' });
  });
});
