/** Messages start with "expected" and never repeat the value (validate.ts). */
import * as v from 'valibot';
import { DEFAULT_QUOTA } from '../keys/quota.ts';
import { DEFAULT_TENANT, SCOPES, TENANT_NAME } from '../keys/scope.ts';
import { namedLine } from '../lib/one-line.ts';

const MAX_NAME_CHARS = 100;
const MAX_PER_MINUTE = 1_000_000;
const TENANT_EXPECTED = 'expected a-z, 0-9, _ and -, at most 64 characters';

const scopes = v.pipe(
  v.array(v.picklist(SCOPES, `expected one of ${SCOPES.join(', ')}`), 'expected a list of scopes'),
  v.minLength(1, 'expected at least one scope'),
  v.maxLength(SCOPES.length, `expected at most ${SCOPES.length} scopes`),
);
const quota = v.strictObject({
  perMinute: v.pipe(
    v.number('expected a number'),
    v.integer('expected an integer'),
    v.minValue(1, 'expected at least 1'),
    v.maxValue(MAX_PER_MINUTE, `expected at most ${MAX_PER_MINUTE}`),
    v.description('Requests a minute, in one location'),
  ),
});

/** Strict: a misspelt `quota` would make a key with another one. */
export const newKeyRequest = v.strictObject({
  name: namedLine('a name', MAX_NAME_CHARS),
  scopes,
  tenant: v.optional(v.pipe(v.string('expected text'), v.regex(TENANT_NAME, TENANT_EXPECTED)), DEFAULT_TENANT),
  quota: v.pipe(
    v.optional(v.nullable(quota), DEFAULT_QUOTA),
    v.description('null: no quota. Each location counts by itself'),
  ),
});

export const newKeyAnswer = v.object({
  id: v.string(),
  key: v.pipe(v.string(), v.description('The key is shown only this once; only its SHA-256 is stored')),
});

export const keySummary = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(v.picklist(SCOPES)),
  tenant: v.string(),
  quota: v.nullable(v.object({ perMinute: v.number() })),
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
});

export const keysAnswer = v.object({ keys: v.array(keySummary) });
