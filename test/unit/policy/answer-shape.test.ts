/**
 * The shape of an answer stands in several places, each of which has a reason: as an interface (src/policy/answer.ts),
 * since it ships to users who have no valibot; as a schema, which the OpenAPI document and the client's types are made
 * from; as a guard in the middleware, whose bundle has no room for the schema; and as a writer of JSON. They are held
 * equal here: a field that only one of them has does not compile, or fails.
 */

import type * as v from 'valibot';
import { expect, expectTypeOf, it } from 'vitest';
import { lookupAnswer } from '../../../src/api/lookup-docs.ts';
import type { OperationTypes } from '../../../src/generated/api-types.ts';
import { answerText, type LookupAnswer } from '../../../src/policy/answer.ts';
import type { Fixed } from '../../../src/sdk/client/client.ts';
import { readAnswer } from '../../../src/sdk/middleware/transport.ts';

/** Every field there is, in the order in which answers have them. */
const WHOLE: Required<LookupAnswer> = {
  number: '+12025550123',
  country: 'US',
  lineType: 'mobile',
  verdict: 'listed',
  level: 9,
  labels: ['modem_pool_card'],
  channels: ['otp_marketplace'],
  industries: ['gaming'],
  firstSeen: '2025-05-17',
  lastSeen: '2025-05-20',
  sightings: 3,
  neighbourhood: { hundred: 1, thousand: 2, score: 0.5 },
  action: 'block',
  rule: 'listed',
  generation: 7,
  expired: true,
  override: { list: 'block', scope: 'tenant', expiresAt: null },
  shadow: ['watch'],
  failed: ['old'],
  evidence: [],
  asOf: { date: '2025-05-20' },
  receipt: {
    ...{ version: 1, decidedAt: '2025-05-20T10:00:00.000Z', commit: 'c0ffee', segments: [], scenario: null },
    ...{
      policy: { rules: [], default: 'allow' },
      levels: {},
      unknownLabel: { level: 5, steps: {}, horizonDays: null },
    },
  },
  stale: true,
  ageSeconds: 300,
};

type Schema = Fixed<v.InferOutput<typeof lookupAnswer>>;
type Interface = Fixed<LookupAnswer>;
type Receipt<Answer extends { readonly receipt?: unknown }> = NonNullable<Answer['receipt']>;
type Fields = keyof LookupAnswer;
const FIELDS = Object.keys(WHOLE) as Fields[];
const isFurther = (field: Fields) => lookupAnswer.entries[field].type === 'exact_optional';
const USUAL = FIELDS.filter((field) => !isFurther(field));
const FURTHER = FIELDS.filter(isFurther);
const usual = Object.fromEntries(USUAL.map((field) => [field, WHOLE[field]])) as unknown as LookupAnswer;

it('the schema, the interface and the client have the same fields, of the same types', () => {
  expectTypeOf<Omit<Schema, 'receipt'>>().toEqualTypeOf<Omit<Interface, 'receipt'>>();
  expectTypeOf<keyof Schema>().toEqualTypeOf<keyof Interface>();
  // Days are numbers in the interface, and in JSON the texts of them: of the curves, the fields are compared.
  type Curves = 'levels' | 'unknownLabel';
  expectTypeOf<Omit<Receipt<Schema>, Curves>>().toEqualTypeOf<Omit<Receipt<Interface>, Curves>>();
  expectTypeOf<keyof Receipt<Schema>>().toEqualTypeOf<keyof Receipt<Interface>>();
  expectTypeOf<keyof Receipt<Schema>['unknownLabel']>().toEqualTypeOf<keyof Receipt<Interface>['unknownLabel']>();
  expectTypeOf<keyof OperationTypes['lookup']['answer']>().toEqualTypeOf<Fields>();
  expect(Object.keys(lookupAnswer.entries)).toEqual(FIELDS);
  expect(USUAL.length).toBeGreaterThan(FURTHER.length);
});

it('the writer writes each of them, in this order', () => {
  expect(Object.keys(JSON.parse(answerText(usual)))).toEqual(USUAL);
  for (const field of FURTHER) {
    const answer = { ...usual, [field]: WHOLE[field] };
    expect(answerText(answer), field).toBe(JSON.stringify(answer));
  }
  expect(Object.keys(JSON.parse(answerText(WHOLE)))).toEqual(FIELDS);
});

it('the guard of the middleware looks at each that all answers have', () => {
  expect(readAnswer(usual)).toBe(usual);
  expect(readAnswer(WHOLE)).toBe(WHOLE);
  for (const field of USUAL) {
    const { [field]: _, ...rest } = usual;
    expect(readAnswer(rest), field).toBe('malformed');
    expect(readAnswer({ ...usual, [field]: Symbol('of no type of ours') }), field).toBe('malformed');
  }
});
