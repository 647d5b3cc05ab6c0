/** What is set by hand: API keys, and what tenants decide with. */
import { decodeKeys } from '../../src/keys/key-file.ts';
import { messageOf } from '../../src/merge/context.ts';
import { compilePolicy } from '../../src/policy/cel/compile.ts';
import { API_KEYS_KEY, AUDIT_PREFIX, OVERRIDES_PREFIX, POLICY_PREFIX, TENANTS_KEY } from '../../src/store/keys.ts';
import { auditFile, documentKey, overridesFile, policyFile, TENANT_INDEX } from '../../src/tenants/documents.ts';
import type { Check } from './findings.ts';
import type { Look } from './look.ts';

export async function checkKeys({ objects, findings }: Look): Promise<void> {
  const check = findings.begin('API keys');
  try {
    const object = await objects.get(API_KEYS_KEY);
    if (object === null) return;
    check.looked = decodeKeys(object.bytes).length;
  } catch (error) {
    const remedy = 'Only the admin key works. Put the object back from a copy, or delete it and make new keys.';
    check.error(API_KEYS_KEY, messageOf(error), remedy);
  }
}

export async function checkTenants(look: Look): Promise<void> {
  const check = look.findings.begin('rules of tenants');
  try {
    const object = await look.objects.get(TENANTS_KEY);
    if (object === null) return;
    for (const { tenant, policy, overrides, audit } of TENANT_INDEX.codec.decode(object.bytes).values()) {
      const compiles = (bytes: Bytes) => compilePolicy(policyFile.decode(bytes).policy);
      await checkDocument(look, check, policy && documentKey(POLICY_PREFIX, tenant, policy), compiles);
      await checkDocument(
        look,
        check,
        overrides && documentKey(OVERRIDES_PREFIX, tenant, overrides),
        overridesFile.decode,
      );
      await checkDocument(look, check, audit && documentKey(AUDIT_PREFIX, tenant, audit), auditFile.decode);
    }
  } catch (error) {
    const remedy =
      'No tenant gets answers. Put the object back from a copy, or delete it: all then decide as built in.';
    check.error(TENANTS_KEY, messageOf(error), remedy);
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

/** @param read throws if the document is damaged */
async function checkDocument({ objects }: Look, check: Check, key: string | null, read: (bytes: Bytes) => unknown) {
  if (key === null) return;
  check.looked += 1;
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('is missing');
    read(object.bytes);
  } catch (error) {
    const remedy = 'Put the object back from a copy, or put the policy or the override anew: that makes another.';
    check.error(key, messageOf(error), remedy);
  }
}
