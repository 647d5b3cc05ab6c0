/** Which uploads were taken back: the list of the generation, and the objects that say so for ever. */
import type { Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import { markedWithdrawn, readMark, readWithdrawals } from '../../src/merge/withdrawals.ts';
import { MERGED_PREFIX, WITHDRAWN_PREFIX } from '../../src/store/keys.ts';
import { isKept } from './list-all.ts';
import { type Look, REBUILD } from './look.ts';

export interface CheckedWithdrawals {
  /** Ids; null: the list of the generation cannot be read. */
  readonly withdrawn: ReadonlySet<string> | null;
  /** Batches of which the inventory may still have rows that are to be taken out. */
  readonly pending: number;
}

/** Checks that each can be read, and that what was withdrawn is kept. */
export async function checkWithdrawals(look: Look, manifest: Manifest): Promise<CheckedWithdrawals> {
  const { objects, findings } = look;
  const withdrawn = new Set<string>();
  for await (const id of markedWithdrawn(objects)) withdrawn.add(id);
  if (withdrawn.size === 0 && manifest.withdrawals === null) return { withdrawn, pending: 0 };
  const check = findings.begin('withdrawn batches');
  for (const id of withdrawn) {
    check.looked += 1;
    try {
      await readMark(objects, id);
    } catch (error) {
      check.error(WITHDRAWN_PREFIX + id, messageOf(error), 'The batch stays withdrawn; by whom and when is lost.');
    }
  }
  let pending: ReadonlySet<string> = new Set();
  try {
    const list = await readWithdrawals(objects, manifest);
    for (const { id } of list.withdrawn) withdrawn.add(id);
    pending = new Set(list.pending.map(({ id }) => id));
  } catch (error) {
    const remedy = 'No batch can be withdrawn, and no rollback made, until it is back: put it back from a copy.';
    check.error(manifest.withdrawals?.key ?? WITHDRAWN_PREFIX, messageOf(error), remedy);
    return { withdrawn: null, pending: 0 };
  }
  for (const id of withdrawn) {
    if (await isKept(objects, id)) continue;
    if (pending.has(id)) check.error(MERGED_PREFIX + id, 'is missing', STILL_IN);
    else check.warning(MERGED_PREFIX + id, 'is missing', LOST);
  }
  findings.count('batches withdrawn', withdrawn.size);
  findings.count('batches that are being taken out of the inventory', pending.size);
  return { withdrawn, pending: pending.size };
}

const LOST = 'It is withdrawn, so nothing depends on it.';
/** Which numbers to compute anew is read from the batch itself. */
const STILL_IN = `It is withdrawn, but what the inventory has of it cannot be taken out without it. ${REBUILD}`;
