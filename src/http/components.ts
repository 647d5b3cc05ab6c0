/** The schemas that the OpenAPI document names. */
import * as v from 'valibot';
import { healthAnswer } from '../api/health.ts';
import { lookupRequest } from '../lookup/request.ts';
import { auditAnswer } from './audit.ts';
import { briefingAnswer } from './briefings-schema.ts';
import { canariesAnswer, canaryAnswer, canaryRequest } from './canaries-schema.ts';
import { detectionLine, receiptAnswer } from './detections-schema.ts';
import { feedManifest } from './feed-schema.ts';
import { keySummary, keysAnswer, newKeyAnswer, newKeyRequest } from './keys-schema.ts';
import { batchAnswer, batchError, batchRequest, evidenceAnswer, lookupAnswer } from './lookup-schema.ts';
import { overrideAnswer, overrideRequest, overridesAnswer } from './overrides-schema.ts';
import { policyAnswer, policyRequest, policyTestAnswer, policyTestRequest } from './policy-schema.ts';
import { PROBLEM_TYPE_PREFIX, PROBLEMS } from './problem.ts';
import { rollbackAnswer, rollbackRequest } from './rollback.ts';
import { decisionAnswer, sourceAnswer, sourceRequest, sourcesAnswer } from './sources-schema.ts';
import { statusAnswer } from './state-schema.ts';

export const problem = v.pipe(
  v.looseObject({
    type: v.picklist(Object.keys(PROBLEMS).map((code) => PROBLEM_TYPE_PREFIX + code)),
    title: v.string(),
    status: v.pipe(v.number(), v.integer()),
    detail: v.string(),
    field: v.pipe(v.exactOptional(v.string()), v.description('The field of the request that is at fault')),
    verdict: v.pipe(
      v.exactOptional(v.literal('unknown')),
      v.description('Present if storage could not answer a lookup'),
    ),
    id: v.pipe(
      v.exactOptional(v.string()),
      v.description('The id of an internal error, by which it is found in the logs'),
    ),
    rule: v.pipe(v.exactOptional(v.string()), v.description('The rule of a policy that cannot be used')),
    position: v.pipe(
      v.exactOptional(v.nullable(v.object({ offset: v.number(), line: v.number(), column: v.number() }))),
      v.description("In the rule's expression; line and column count from 1"),
    ),
    retained: v.pipe(v.exactOptional(v.array(v.number())), v.description('Generations that a rollback can return to')),
  }),
  v.description('RFC 9457 problem details; `type` ends in the code'),
);

export const COMPONENTS = {
  LookupRequest: lookupRequest,
  LookupAnswer: lookupAnswer,
  Evidence: evidenceAnswer,
  BatchRequest: batchRequest,
  BatchAnswer: batchAnswer,
  BatchError: batchError,
  PolicyRequest: policyRequest,
  Policy: policyAnswer,
  PolicyTestRequest: policyTestRequest,
  PolicyTest: policyTestAnswer,
  OverrideRequest: overrideRequest,
  Override: overrideAnswer,
  Overrides: overridesAnswer,
  Audit: auditAnswer,
  FeedManifest: feedManifest,
  Briefing: briefingAnswer,
  Detection: detectionLine,
  Receipt: receiptAnswer,
  Sources: sourcesAnswer,
  Source: sourceAnswer,
  SourceRequest: sourceRequest,
  SourceDecision: decisionAnswer,
  CanaryRequest: canaryRequest,
  Canary: canaryAnswer,
  Canaries: canariesAnswer,
  Health: healthAnswer,
  Status: statusAnswer,
  RollbackRequest: rollbackRequest,
  RollbackAnswer: rollbackAnswer,
  NewKeyRequest: newKeyRequest,
  NewKeyAnswer: newKeyAnswer,
  Key: keySummary,
  Keys: keysAnswer,
  Problem: problem,
};
