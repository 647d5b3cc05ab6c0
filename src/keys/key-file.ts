/**
 * All stored API keys, one small object: frame "RFKY" version 1 around JSON
 *
 *   {"keys": [{"id", "name", "scopes", "tenant", "quota": {"perMinute"} | null, "createdAt", "sha256"}, ...]}
 *
 * in order of creation. `sha256` is that of the key as its holder has it, 64 hex digits; the key itself is nowhere.
 */
import * as v from 'valibot';
import type { Bytes } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import type { ObjectKind } from '../store/changed-object.ts';
import { API_KEYS_KEY } from '../store/keys.ts';
import { SCOPES } from './scope.ts';

const MAGIC = 'RFKY';
const VERSION = 1;

/** Keeps the object at a few hundred KiB, since every isolate reads it whole. */
export const MAX_KEYS = 1000;

const apiKey = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  name: v.string(),
  scopes: v.array(v.picklist(SCOPES)),
  tenant: v.string(),
  quota: v.nullable(v.object({ perMinute: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) })),
  /** Milliseconds since 1970. */
  createdAt: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

const schema = v.object({ keys: v.pipe(v.array(apiKey), v.maxLength(MAX_KEYS)) });

export type ApiKey = v.InferOutput<typeof apiKey>;

const file = framedJson(MAGIC, VERSION, schema);

export function encodeKeys(keys: readonly ApiKey[]): Bytes {
  return file.encode({ keys: [...keys] });
}

/** @throws FormatError unless the bytes are a key file */
export function decodeKeys(bytes: Bytes): readonly ApiKey[] {
  return file.decode(bytes).keys;
}

export const KEY_FILE: ObjectKind<readonly ApiKey[]> = {
  key: API_KEYS_KEY,
  codec: { encode: encodeKeys, decode: decodeKeys },
  empty: [],
};
