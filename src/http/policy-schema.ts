/** Messages start with "expected" and never repeat the value (validate.ts). */
import * as v from 'valibot';
import { scenario } from '../lookup/request.ts';
import { ACTIONS, VERDICTS } from '../policy/policy.ts';
import { ruleSource } from '../policy/rules-schema.ts';
import { SAMPLES } from '../policy/trial.ts';
import { MAX_BATCH_NUMBERS } from './lookup-schema.ts';

/** As many as a lookup in a batch can have; enough for shares of one in a hundred. */
const MAX_SAMPLE = 1000;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const { id, when, action, mode } = ruleSource.entries;

/** Strict: a misspelt `mode` would enforce what was meant to be watched. Expressions are bounded by the compiler. */
const ruleRequest = v.strictObject({
  id: v.pipe(id, v.description('Answers that the rule decides have it in `rule`')),
  when: v.pipe(when, v.description('A CEL expression of type bool')),
  action,
  mode: v.pipe(
    v.optional(mode, 'enforce'),
    v.description('A rule in `shadow` mode is reported where it matches, and decides nothing'),
  ),
});

export const policyRequest = v.strictObject({
  rules: v.pipe(v.array(ruleRequest, 'expected a list of rules'), v.description('The first that matches decides')),
  default: v.pipe(v.optional(action, 'allow'), v.description('The action if no rule matches')),
});

const sampleSize = v.pipe(
  v.number('expected a number'),
  v.integer('expected an integer'),
  v.minValue(0, 'expected no negative number'),
  v.maxValue(MAX_SAMPLE, `expected at most ${MAX_SAMPLE}`),
);

const warning = v.object({ rule: v.string(), detail: v.string() });
const change = { at: v.pipe(v.string(), v.isoTimestamp()), by: v.pipe(v.string(), v.description('Id of the API key')) };

export const policyAnswer = v.object({
  tenant: v.string(),
  version: v.pipe(count, v.description('0: the built-in policy, which is in force until one is put')),
  rules: v.array(ruleSource),
  default: v.picklist(ACTIONS),
  at: v.nullable(change.at),
  by: v.nullable(change.by),
  earlier: v.array(v.object({ version: count, ...change })),
  warnings: v.pipe(v.array(warning), v.description('Rules that probably do not do what they are meant to do')),
});

export const policyTestRequest = v.strictObject({
  policy: policyRequest,
  numbers: v.optional(
    v.pipe(
      v.array(v.string('expected text'), 'expected a list of numbers as text'),
      v.maxLength(MAX_BATCH_NUMBERS, `expected at most ${MAX_BATCH_NUMBERS} numbers`),
    ),
    [],
  ),
  samples: v.optional(
    v.union(
      [
        v.strictObject({
          inventory: v.pipe(v.optional(sampleSize, 0), v.description('Listed numbers, drawn at random')),
          clear: v.pipe(v.optional(sampleSize, 0), v.description('Numbers of the same ranges that are not listed')),
        }),
        v.pipe(sampleSize, v.description('As many of each')),
      ],
      `expected a number from 0 to ${MAX_SAMPLE}, or {inventory, clear} with such numbers`,
    ),
    0,
  ),
  country: v.nullish(v.string('expected text')),
  scenario: v.nullish(scenario),
});

const actionCounts = v.object({ allow: count, flag: count, challenge: count, block: count });
const comparison = {
  tested: count,
  present: v.pipe(actionCounts, v.description('Actions by the policy in force')),
  policy: v.pipe(actionCounts, v.description('Actions by the policy that is tested')),
  changed: v.pipe(count, v.description('Numbers that would get another action')),
};
const decision = v.object({
  action: v.picklist(ACTIONS),
  rule: v.string(),
  shadow: v.exactOptional(v.array(v.string())),
  failed: v.exactOptional(v.array(v.string())),
});

export const policyTestAnswer = v.object({
  total: v.object(comparison),
  unanswered: v.pipe(count, v.description('Numbers that the storage could not answer for')),
  bySample: v.array(v.object({ sample: v.picklist(SAMPLES), ...comparison })),
  byCountry: v.array(v.object({ country: v.nullable(v.string()), ...comparison })),
  byLabel: v.pipe(
    v.array(v.object({ label: v.nullable(v.string()), ...comparison })),
    v.description('null: not listed'),
  ),
  rules: v.array(
    v.object({
      ...ruleSource.entries,
      matched: v.pipe(count, v.description('Numbers that the rule matches, even if an earlier one decides')),
      decided: v.pipe(count, v.description('Numbers whose action the rule decides')),
      failed: v.pipe(count, v.description('Numbers for which the rule fails at run time and is skipped')),
    }),
  ),
  warnings: v.array(warning),
  results: v.pipe(
    v.array(
      v.union([
        v.object({ number: v.string(), verdict: v.picklist(VERDICTS), present: decision, policy: decision }),
        v.object({ input: v.string(), error: v.object({ code: v.string(), detail: v.string() }) }),
      ]),
    ),
    v.description('The decisions on `numbers`, in their order'),
  ),
});
