/**
 * What a tenant decides with, as the slice of the feed that the manifest calls `config`: JSON, private to the tenant.
 * With it and the columns, a replica answers as the origin does.
 */
import * as v from 'valibot';
import { decodeText, encodeText, parseJson } from '../lib/bytes.ts';
import { count, parseStored } from '../lib/schema.ts';
import type { LabelRisk } from '../policy/ageing.ts';
import type { TenantRules } from '../policy/decide.ts';
import type { LabelLevels } from '../policy/labels.ts';
import { OVERRIDE_LISTS, OVERRIDE_SCOPES, type Override } from '../policy/overrides.ts';
import type { PolicySource } from '../policy/policy.ts';
import { labelRisk, labelRisks, policySource } from '../policy/schema.ts';

/**
 * The format of this slice alone. Format 1 had levels that do not age: replicas that know only 1 refuse 2, since their
 * answers would differ.
 */
const CONFIG_FORMAT = 2;

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
  /** The risk of labels that are not in `levels`. */
  readonly unknownLabel: LabelRisk;
  readonly policy: PolicySource;
  /** What the policy was compiled to (src/policy/cel/tree.ts), for the replica to open. Earlier versions send none. */
  readonly tree?: unknown;
  readonly overrides: readonly Override[];
}

/** The same configuration gives the same bytes, in whatever order its overrides are. */
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
   * The rules as storage has them now, in the same object as long as they do not change. Rejects when they cannot be
   * read: an answer of the feed confirms the rules, so what an isolate held before is not enough.
   */
  latest(tenant: string): Promise<TenantRules>;
}

/** The configuration slices of all tenants. Each is made once for its rules, and kept as long as these are in use. */
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

/**
 * Throws FormatError unless the bytes are a configuration of this version. The message quotes nothing, since overrides
 * name numbers.
 */
export function parseFeedConfig(bytes: Uint8Array<ArrayBuffer>): FeedConfig {
  return parseStored(feedConfig, parseJson(decodeText(bytes, 'feed config'), 'feed config'), 'feed config', topField);
}

/** The first name of the path; further ones may be a label or an index. */
function topField(issue: v.BaseIssue<unknown>): string | null {
  return v.getDotPath(issue)?.split('.')[0] ?? null;
}
