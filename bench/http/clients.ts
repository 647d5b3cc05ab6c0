/** Two enterprises: one decides by the built-in policy, one by ten rules of its own. */
import { join } from 'node:path';
import { KeyRegistry } from '../../src/keys/registry.ts';
import { compilePolicy } from '../../src/policy/cel/compile.ts';
import type { PolicySource, RuleSource } from '../../src/policy/policy.ts';
import { TenantStore } from '../../src/tenants/tenant-store.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';

const TENANT = 'ten-rules';

const enforced = (id: string, when: string, action: RuleSource['action']): RuleSource => {
  return { id, when, action, mode: 'enforce' };
};

/**
 * Rules of a sign-up as a fraud team would write them. They end at the same action as the built-in policy for every
 * number of the benchmark, and for a number that is not listed and not suspect all ten are evaluated.
 */
export const TEN_RULES: PolicySource = {
  rules: [
    enforced('partner', 'scenario == "partner" && level < 9', 'allow'),
    enforced('premium', 'lineType in ["premium_rate", "shared_cost", "pager"]', 'block'),
    enforced('modem-pool', 'level >= 8', 'block'),
    enforced('burned', 'verdict == "listed" && sightings >= 100000 && daysSinceSeen <= 30', 'block'),
    enforced('withdrawal', 'scenario == "withdrawal" && verdict != "clear"', 'block'),
    enforced('known-receiver', 'level >= 5 || labels.exists(label, label.startsWith("sim_farm"))', 'challenge'),
    enforced('dense', 'neighbourhood.hundred >= 10 && neighbourhood.score > 0.8', 'challenge'),
    enforced('suspect', 'verdict == "suspect"', 'challenge'),
    enforced(
      'market',
      'channels.exists(channel, channel in ["otp_marketplace", "api_receiver"]) && level >= 5',
      'challenge',
    ),
    enforced('unserved', 'country in ["AQ", "BV", "HM", "GS", "TF", "UM"]', 'flag'),
  ],
  default: 'allow',
};

export interface ClientKeys {
  readonly builtIn: string;
  readonly tenRules: string;
}

/** Writes keys and policy into `folder/objects`; both keys have the scope `lookup`. */
export async function createClients(folder: string): Promise<ClientKeys> {
  const deps = {
    objects: new DirectoryObjectStore(join(folder, 'objects')),
    now: () => Date.now(),
    waitUntil: () => undefined,
    report: (error: unknown) => console.error(error),
    randomBytes: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };
  const keys = new KeyRegistry({ ...deps, adminKey: null });
  const keyOf = async (tenant: string) => {
    const created = await keys.create({ name: 'bench', scopes: ['lookup'], tenant });
    if (created.kind !== 'created') throw new Error(`the key could not be made: ${created.kind}`);
    return created.key;
  };
  const clients = { builtIn: await keyOf('default'), tenRules: await keyOf(TENANT) };
  const tenants = new TenantStore({ ...deps, holder: null });
  const put = await tenants.putPolicy({ tenant: TENANT, by: 'bench' }, compilePolicy(TEN_RULES));
  if (put.kind !== 'done') throw new Error(`the policy could not be put: ${put.kind}`);
  return clients;
}
