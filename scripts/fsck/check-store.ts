/** Runs all checks, one after the other. They only read, and hold a bounded part of the store in memory. */

import { decodeKeys } from '../../src/keys/registry.ts';
import type { Bytes } from '../../src/lib/bytes.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { compilePolicy } from '../../src/policy/cel/compile.ts';
import { openPolicyIfKnown } from '../../src/policy/cel/evaluate.ts';
import { readCanaries } from '../../src/quality/canaries.ts';
import {
  API_KEYS_KEY,
  AUDIT_PREFIX,
  CANARIES_KEY,
  OVERRIDES_PREFIX,
  POLICY_PREFIX,
  TENANTS_KEY,
} from '../../src/storage/keys.ts';
import { auditFile } from '../../src/tenants/audit-trail.ts';
import { documentKey, overridesFile, policyFile, TENANT_INDEX } from '../../src/tenants/documents.ts';
import { checkBatches, checkLedger, checkSetAside, checkWithdrawals } from './batches.ts';
import type { Check, FsckContext } from './findings.ts';
import { checkHistory } from './history.ts';
import { checkManifest, checkUnchanged, type ReadManifest } from './manifest.ts';
import { checkRetained, countGarbage } from './retained.ts';
import { checkActivity, checkNumbers, checkSegmentsInUse } from './segments.ts';
import { verifyBatches } from './verify-batches.ts';

// What is set by hand: API keys, canaries, and what tenants decide with.

async function checkKeys({ objects, findings }: FsckContext): Promise<void> {
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

/**
 * Compiles the source, and holds the tree to it by which lookups decide. A tree of another version is passed over:
 * whoever does not know it has the source compiled.
 */
function checkPolicy(bytes: Bytes): void {
  const { policy, tree } = policyFile.decode(bytes);
  const compiled = compilePolicy(policy);
  const stored = openPolicyIfKnown(policy, tree);
  if (stored !== null && JSON.stringify(stored.tree) !== JSON.stringify(compiled.tree)) {
    throw new RangeError('lookups decide by another tree than the one that its rules compile to');
  }
}

/** Every tick that merges reads them. */
export async function checkCanaries({ objects, findings }: FsckContext): Promise<void> {
  const check = findings.begin('canaries');
  try {
    check.looked = (await readCanaries(objects)).size;
  } catch (error) {
    const remedy =
      'No tick merges anything, of anybody. Put the object back from a copy, or delete it and plant the canaries anew at ' +
      'once: GET /v1/audit?tenant=* names them, and until they are planted ticks list them.';
    check.error(CANARIES_KEY, messageOf(error), remedy);
  }
}

export async function checkTenants(context: FsckContext): Promise<void> {
  const check = context.findings.begin('rules of tenants');
  try {
    const object = await context.objects.get(TENANTS_KEY);
    if (object === null) {
      await checkNoDocuments(context, check);
      return;
    }
    for (const { tenant, policy, overrides, audit } of TENANT_INDEX.codec.decode(object.bytes).values()) {
      const documents = [
        [POLICY_PREFIX, policy, checkPolicy],
        [OVERRIDES_PREFIX, overrides, overridesFile.decode],
        [AUDIT_PREFIX, audit, auditFile.decode],
      ] as const;
      for (const [prefix, ref, read] of documents) {
        if (ref !== null)
          await checkDocument(
            context,
            check,
            { key: documentKey(prefix, tenant, ref), remedy: REMEDIES[prefix] },
            read,
          );
      }
    }
  } catch (error) {
    const remedy =
      'No tenant gets answers. Put the object back from a copy, or delete it: all then decide as built in.';
    check.error(TENANTS_KEY, messageOf(error), remedy);
  }
}

/**
 * Documents are written before the index that names them, so that some without it may be of a first change that
 * stopped.
 */
async function checkNoDocuments({ objects }: FsckContext, check: Check): Promise<void> {
  for (const prefix of [POLICY_PREFIX, OVERRIDES_PREFIX]) {
    const [first] = (await objects.list(prefix, { limit: 1 })).objects;
    if (first === undefined) continue;
    const remedy = 'All tenants decide as built in. Unless it was deleted on purpose, put the object back from a copy.';
    check.warning(TENANTS_KEY, `is missing, but there is ${first.key}`, remedy);
    return;
  }
}

const REMEDIES = {
  [POLICY_PREFIX]:
    'Put the object back from a copy, or put the policy anew (PUT /v1/policy): those before it stay lost.',
  [OVERRIDES_PREFIX]:
    'Put the object back from a copy, or give the list up (DELETE /v1/overrides/lost) and put its overrides anew: GET ' +
    '/v1/audit names them.',
  [AUDIT_PREFIX]:
    'Put the object back from a copy, or let it be: the next change of the tenant begins another, and what this one told is lost.',
};

/** @param read throws if the document is damaged */
async function checkDocument(
  { objects }: FsckContext,
  check: Check,
  { key, remedy }: { readonly key: string; readonly remedy: string },
  read: (bytes: Bytes) => unknown,
): Promise<void> {
  check.looked += 1;
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('is missing');
    read(object.bytes);
  } catch (error) {
    check.error(key, messageOf(error), remedy);
  }
}

interface CheckOptions {
  /** Also fold all kept batches and compare the result with the inventory. */
  readonly verifyBatches: boolean;
}

/**
 * Looks at the whole store and tells what it finds to `context.findings`. Returns the manifest, or null if that cannot
 * be read.
 *
 * @throws FsckError if the store cannot be looked at
 */
export async function checkStore(context: FsckContext, options: CheckOptions): Promise<ReadManifest | null> {
  const read = await checkManifest(context);
  await checkKeys(context);
  await checkCanaries(context);
  await checkTenants(context);
  if (read === null) {
    await checkBatches(context, null, null);
    return null;
  }
  const { manifest } = read;
  const isServable = await checkSegmentsInUse(context, read);
  if (isServable) await checkNumbers(context, read);
  else context.findings.begin('numbers, each counted once').skip('not while segments have errors');
  await checkActivity(context, manifest);
  const named = await checkRetained(context, read);
  const setAside = await checkSetAside(context, manifest);
  const history = await checkHistory(context, manifest, setAside ?? new Set());
  const { withdrawn, pending } = await checkWithdrawals(context, manifest);
  const outside = setAside === null ? null : new Set([...setAside, ...manifest.replay]);
  const excluded = { withdrawn: withdrawn ?? new Set<string>(), outside: outside ?? new Set<string>() };
  const isKept = await checkBatches(context, manifest, history, excluded);
  const isLedgerWhole = await checkLedger(context, manifest, outside ?? new Set());
  await countGarbage(context, named, history);
  context.findings.count('batches to be merged again', manifest.replay.length);
  if (options.verifyBatches) {
    const isWhole = isServable && isKept && isLedgerWhole && outside !== null && withdrawn !== null;
    await verifyBatches(context, manifest, { outside: isWhole ? new Set([...outside, ...withdrawn]) : null, pending });
  }
  await checkUnchanged(context, read);
  return read;
}
