/** Which uploads were taken back: the list of the generation, and the objects that say so for ever. */
import type { Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import { markedWithdrawn, readMark, readWithdrawals } from '../../src/merge/withdrawals.ts';
import { MERGED_PREFIX, WAITING_PREFIX, WITHDRAWN_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import type { Look } from './look.ts';

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
  let pending = 0;
  try {
    const list = await readWithdrawals(objects, manifest);
    for (const { id } of list.withdrawn) withdrawn.add(id);
    pending = list.pending.length;
  } catch (error) {
    const remedy = 'No batch can be withdrawn, and no rollback made, until it is back: put it back from a copy.';
    check.error(manifest.withdrawals?.key ?? WITHDRAWN_PREFIX, messageOf(error), remedy);
    return { withdrawn: null, pending };
  }
  for (const id of withdrawn) if (!(await isKept(objects, id))) check.error(MERGED_PREFIX + id, 'is missing', LOST);
  findings.count('batches withdrawn', withdrawn.size);
  findings.count('batches that are being taken out of the inventory', pending);
  return { withdrawn, pending };
}

const LOST = 'It is withdrawn, so nothing depends on it.';

async function isKept(objects: ObjectStore, id: string): Promise<boolean> {
  return (await objects.head(MERGED_PREFIX + id)) !== null || (await objects.head(WAITING_PREFIX + id)) !== null;
}
