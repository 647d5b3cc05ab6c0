/**
 * The receipt of a decision: what an answer was made of, so that it can be made again, offline, by whoever has the
 * segments that it names (`npm run verify-receipt`).
 */
import type { LabelRisk } from './ageing.ts';
import type { Basis } from './finding.ts';
import type { LabelLevels } from './labels.ts';
import type { Policy, PolicySource } from './policy.ts';

export const RECEIPT_VERSION = 1;

export interface DecisionReceipt extends Basis {
  readonly version: typeof RECEIPT_VERSION;
  /** UTC date-time with milliseconds: days were counted from it. */
  readonly decidedAt: string;
  readonly scenario: string | null;
  /** Every rule, in order; `rule` of the answer names the one that decided. */
  readonly policy: PolicySource;
  /** Levels of labels and how they fall, and those of labels that are not configured. */
  readonly levels: Readonly<Record<string, LabelRisk>>;
  readonly unknownLabel: LabelRisk;
}

/** @param now milliseconds since 1970 */
export function receiptOf(
  { commit, segments }: Basis,
  context: {
    readonly policy: Policy;
    readonly levels: LabelLevels;
    readonly now: number;
    readonly scenario: string | null;
  },
): DecisionReceipt {
  const { policy, levels, now, scenario } = context;
  return {
    version: RECEIPT_VERSION,
    decidedAt: new Date(now).toISOString(),
    commit,
    segments,
    scenario,
    policy: policy.source,
    levels: levels.risks,
    unknownLabel: levels.unknown,
  };
}
