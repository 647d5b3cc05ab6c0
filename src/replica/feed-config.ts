/**
 * What a tenant decides with, as the slice of the feed that the manifest calls `config`: JSON, private to the tenant.
 * Together with the columns it makes a replica's answers those of the origin.
 */
import * as v from 'valibot';
import { decodeText, encodeText, FormatError, parseJson } from '../lib/bytes.ts';
import { count } from '../lib/schema.ts';
import type { LabelRisk } from '../policy/ageing.ts';
import type { TenantRules } from '../policy/decide.ts';
import type { LabelLevels } from '../policy/labels.ts';
import { OVERRIDE_LISTS, OVERRIDE_SCOPES, type Override } from '../policy/overrides.ts';
import type { PolicySource } from '../policy/policy.ts';
import { labelRisk, labelRisks, policySource } from '../policy/schema.ts';

/** Of this slice alone. 1 had levels that do not age: a replica of then refuses 2, since its answers would differ. */
export const CONFIG_FORMAT = 2;

const feedConfig = v.object({
  format: v.literal(CONFIG_FORMAT),
  levels: labelRisks,
  unknownLabel: labelRisk,
  policy: policySource,
  tree: v.exactOptional(v.unknown()),
  overrides: v.array(
    v.object({
      number: count,
      list: v.picklist(OVERRIDE_LISTS),
      /** Milliseconds since 1970; null: until it is deleted. */
      expiresAt: v.nullable(count),
      scope: v.picklist(OVERRIDE_SCOPES),
    }),
  ),
});

export interface FeedConfig {
  readonly format: typeof CONFIG_FORMAT;
  readonly levels: Readonly<Record<string, LabelRisk>>;
  /** Of labels that are not in `levels`. */
  readonly unknownLabel: LabelRisk;
  readonly policy: PolicySource;
  /** What the policy was compiled to (src/policy/cel/tree.ts), for its reader to open; an origin of before sends none. */
  readonly tree?: unknown;
  readonly overrides: readonly Override[];
}

/** The same configuration gives the same bytes, whatever the order of its overrides. */
export function encodeFeedConfig(config: Omit<FeedConfig, 'format'>): Uint8Array<ArrayBuffer> {
  const { levels, unknownLabel, policy, tree, overrides } = config;
  const sorted = overrides
    .map(({ number, list, expiresAt, scope }) => ({ number, list, expiresAt, scope }))
    .sort((a, b) => a.number - b.number || (a.scope < b.scope ? -1 : 1));
  const whole: FeedConfig = { format: CONFIG_FORMAT, levels, unknownLabel, policy, tree, overrides: sorted };
  return new Uint8Array(encodeText(JSON.stringify(whole)));
}

/** Where tenants' rules come from (src/tenants/tenant-rules.ts). */
export interface RulesSource {
  /**
   * As storage has them now, the same object as long as they do not change; rejects when they cannot be read. An answer
   * of the feed confirms them, so those that an isolate held a moment ago do not do.
   */
  latest(tenant: string): Promise<TenantRules>;
}

/** The configuration slices of all tenants, made once for rules as long as they are in use. */
export class FeedConfigs {
  readonly #rules: RulesSource;
  readonly #labels: Pick<FeedConfig, 'levels' | 'unknownLabel'>;
  readonly #made = new WeakMap<TenantRules, Uint8Array<ArrayBuffer>>();

  constructor(rules: RulesSource, labels: LabelLevels) {
    this.#rules = rules;
    this.#labels = { levels: labels.risks, unknownLabel: labels.unknown };
  }

  /** Rejects when the rules cannot be read. */
  async get(tenant: string): Promise<Uint8Array<ArrayBuffer>> {
    const rules = await this.#rules.latest(tenant);
    const made = this.#made.get(rules);
    if (made !== undefined) return made;
    const { policy, overrides } = rules;
    const { source, tree } = policy;
    const bytes = encodeFeedConfig({ ...this.#labels, policy: source, tree, overrides: overrides.list() });
    this.#made.set(rules, bytes);
    return bytes;
  }
}

/** Throws FormatError unless the bytes are a configuration of this version. Nothing of them is quoted: they name numbers. */
export function parseFeedConfig(bytes: Uint8Array<ArrayBuffer>): FeedConfig {
  const parsed = v.safeParse(feedConfig, parseJson(decodeText(bytes, 'feed config'), 'feed config'));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new FormatError(`feed config: ${fieldOf(issue)}: expected ${issue.expected ?? 'another value'}`);
}

/** The first name of the path: further ones may be a label or an index. */
function fieldOf(issue: v.BaseIssue<unknown>): string {
  return v.getDotPath(issue)?.split('.')[0] ?? 'config';
}
