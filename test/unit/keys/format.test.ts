import { describe, expect, it } from 'vitest';
import { digestOf, idOf, mintToken, sameDigest } from '../../../src/keys/key.ts';
import { type ApiKey, checkAdminKey, decodeKeys, encodeKeys, MAX_KEYS } from '../../../src/keys/registry.ts';
import { FormatError, fromHex, toHex } from '../../../src/lib/bytes.ts';
import { frame } from '../../../src/lib/frame.ts';
import { countingBytes } from './storage.ts';

const KEY: ApiKey = {
  id: '000102030405',
  name: 'sign-up form',
  scopes: ['lookup'],
  tenant: 'default',
  quota: { perMinute: 60 },
  createdAt: 1748506320000,
  sha256: 'ab'.repeat(32),
};

function framed(value: unknown): Uint8Array<ArrayBuffer> {
  return frame('RFKY', 1, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
}

describe('key file', () => {
  it('gives back what was put in', () => {
    const keys = [KEY, { ...KEY, id: 'ffffffffffff', quota: null, scopes: [] }];
    expect(decodeKeys(encodeKeys(keys))).toEqual(keys);
    expect(decodeKeys(encodeKeys([]))).toEqual([]);
  });

  it('is refused if cut or changed anywhere', () => {
    const bytes = encodeKeys([KEY]);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeKeys(bytes.slice(0, length))).toThrow(FormatError);
    }
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.slice();
      changed[i] = (changed[i] ?? 0) ^ 0x01;
      expect(() => decodeKeys(changed)).toThrow(FormatError);
    }
  });

  it.each([
    ['not JSON', '{'],
    ['no list', {}],
    ['a key without a digest', { keys: [{ ...KEY, sha256: '' }] }],
    ['an unknown scope', { keys: [{ ...KEY, scopes: ['root'] }] }],
    ['a quota of nothing', { keys: [{ ...KEY, quota: { perMinute: 0 } }] }],
    ['more keys than there can be', { keys: Array.from({ length: MAX_KEYS + 1 }, () => KEY) }],
  ])('is refused with %s', (_, value) => {
    expect(() => decodeKeys(framed(value))).toThrow(FormatError);
  });
});

describe('token', () => {
  it('holds its id and 160 bits of secret', () => {
    const { id, token } = mintToken(countingBytes());
    expect(id).toBe('010001000100');
    expect(token).toBe(`rf_010001000100_${'0200'.repeat(10)}`);
    expect(idOf(token)).toBe(id);
  });

  it.each([
    '',
    'rf_',
    'rf_000102030405_',
    'xx_000102030405_060708090a0b0c0d0e0f10111213141516171819',
    'rf_000102030405_Z',
  ])('has no id in %j', (text) => {
    expect(idOf(text)).toBeNull();
  });

  it('is compared by digest', async () => {
    const digest = await digestOf('abc');
    expect(toHex(digest)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sameDigest(digest, fromHex(toHex(digest)))).toBe(true);
    for (const at of [0, 15, 31]) {
      const other = digest.slice();
      other[at] = (other[at] ?? 0) ^ 0x80;
      expect(sameDigest(digest, other)).toBe(false);
    }
    expect(sameDigest(new Uint8Array([1, 0]), new Uint8Array([1]))).toBe(false);
  });
});

describe('checkAdminKey', () => {
  it.each([undefined, ''])('takes %j for none', (text) => {
    expect(checkAdminKey(text)).toBeNull();
  });

  it('takes any printable text of 32 to 256 characters', () => {
    for (const text of ['a'.repeat(32), `rf_${'~!'.repeat(100)}`, 'b'.repeat(256)])
      expect(checkAdminKey(text)).toBe(text);
  });

  it.each([
    ['s3cr3t'.repeat(5), 'expected 32 to 256 characters; found 30'],
    ['s3cr3t'.repeat(43), 'found 258'],
    [`${'s3cr3t'.repeat(6)} `, 'without spaces'],
    [`${'s3cr3t'.repeat(6)}é`, 'printable ASCII'],
  ])('refuses %j without quoting it', (text, message) => {
    expect(() => checkAdminKey(text)).toThrow(message);
    expect(() => checkAdminKey(text)).not.toThrow('s3cr3t');
  });
});
