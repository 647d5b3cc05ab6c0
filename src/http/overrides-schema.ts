/** Messages start with "expected" and never repeat the value (validate.ts). */
import * as v from 'valibot';
import { namedLine } from '../lib/one-line.ts';
import { country, number } from '../lookup/request.ts';
import { OVERRIDE_LISTS } from '../policy/overrides.ts';

const MAX_REASON_CHARS = 500;

/** Strict: a misspelt `expiresAt` would never end. */
export const overrideRequest = v.strictObject({
  number,
  country: v.nullish(country),
  list: v.picklist(OVERRIDE_LISTS, `expected one of ${OVERRIDE_LISTS.join(', ')}`),
  reason: v.pipe(namedLine('a reason', MAX_REASON_CHARS), v.description('For whoever looks at it later')),
  expiresAt: v.pipe(
    v.nullish(v.string('expected text')),
    v.description('ISO 8601 date or date-time in the future; absent or null: it does not expire'),
  ),
});

export const overrideAnswer = v.object({
  tenant: v.string(),
  number: v.string(),
  list: v.picklist(OVERRIDE_LISTS),
  reason: v.string(),
  expiresAt: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
  author: v.pipe(v.string(), v.description('Id of the API key')),
  createdAt: v.pipe(v.string(), v.isoTimestamp()),
});

export const overridesAnswer = v.object({ overrides: v.array(overrideAnswer) });
