/** All checks, one after the other; each reads only, and holds a bounded part of the store in memory. */
import { checkBatches } from './check-batches.ts';
import { checkCanaries, checkKeys, checkTenants } from './check-configuration.ts';
import { checkFacts } from './check-facts.ts';
import { checkHistory } from './check-history.ts';
import { checkLedger } from './check-ledger.ts';
import { checkManifest, checkUnchanged, type ReadManifest } from './check-manifest.ts';
import { checkNumbers } from './check-numbers.ts';
import { checkRetained } from './check-retained.ts';
import { checkSegmentsInUse } from './check-segments.ts';
import { checkSetAside } from './check-set-aside.ts';
import { checkWithdrawals } from './check-withdrawals.ts';
import { countGarbage } from './count-garbage.ts';
import type { Look } from './look.ts';
import { verifyBatches } from './verify-batches.ts';

export interface CheckOptions {
  /** Also fold all kept batches and compare the result with the inventory. */
  readonly verifyBatches: boolean;
}

/**
 * Looks at the whole store and tells what it finds to `look.findings`. Returns the manifest, or null if that cannot be
 * read.
 *
 * @throws LookError if the store cannot be looked at
 */
export async function checkStore(look: Look, options: CheckOptions): Promise<ReadManifest | null> {
  const read = await checkManifest(look);
  await checkKeys(look);
  await checkCanaries(look);
  await checkTenants(look);
  if (read === null) {
    await checkBatches(look, null, null);
    return null;
  }
  const { manifest } = read;
  const isServable = await checkSegmentsInUse(look, manifest);
  if (isServable) await checkNumbers(look, manifest);
  else look.findings.begin('numbers, each counted once').skip('not while segments have errors');
  await checkFacts(look, manifest);
  const named = await checkRetained(look, read);
  const setAside = await checkSetAside(look, manifest);
  const history = await checkHistory(look, manifest, setAside ?? new Set());
  const { withdrawn, pending } = await checkWithdrawals(look, manifest);
  const outside = setAside === null ? null : new Set([...setAside, ...manifest.replay]);
  const excluded = { withdrawn: withdrawn ?? new Set<string>(), outside: outside ?? new Set<string>() };
  const isKept = await checkBatches(look, manifest, history, excluded);
  const isLedgerWhole = await checkLedger(look, manifest, outside ?? new Set());
  await countGarbage(look, named, history);
  look.findings.count('batches to be merged again', manifest.replay.length);
  if (options.verifyBatches) {
    const isWhole = isServable && isKept && isLedgerWhole && outside !== null && withdrawn !== null;
    await verifyBatches(look, manifest, { outside: isWhole ? new Set([...outside, ...withdrawn]) : null, pending });
  }
  await checkUnchanged(look, read);
  return read;
}
