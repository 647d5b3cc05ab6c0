/** The ledger of sources: that it can be read, with its pages, and that what it keeps out of the inventory is kept. */
import type { Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import { quarantineTotals, readLedger } from '../../src/quality/ledger.ts';
import { readDropped, readOmissions } from '../../src/quality/omissions.ts';
import { EMPTY_PILE } from '../../src/quality/pile.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../src/store/keys.ts';
import { type Look, REBUILD } from './look.ts';

const STOPPED =
  'No tick can merge anything until it is back: put it back from a copy of the bucket. Without one, a rebuild says what ' +
  'there is to go by instead: npm run fsck -- --rebuild DIR.';

/**
 * Returns whether it is whole.
 * @param outside batches of which the inventory has nothing
 */
export async function checkLedger(
  { objects, findings, progress }: Look,
  manifest: Manifest,
  outside: ReadonlySet<string>,
): Promise<boolean> {
  if (manifest.ledger === null) return true;
  progress.begin('ledger of sources');
  const check = findings.begin('ledger of sources');
  try {
    const ledger = await readLedger(objects, manifest);
    check.looked = 1;
    // What was dropped stays so in whatever becomes of its batch.
    const undropped = { ...ledger, cases: ledger.cases.map((one) => ({ ...one, dropped: EMPTY_PILE })) };
    for (const id of (await readOmissions(objects, undropped)).keys()) {
      check.looked += 1;
      progress.advance();
      if (outside.has(id)) {
        const what = `keeps rows of the batch ${id} out of the inventory, which has nothing of it`;
        check.error(manifest.ledger, what, REBUILD);
      } else if (
        (await objects.head(MERGED_PREFIX + id)) === null &&
        (await objects.head(WAITING_PREFIX + id)) === null
      ) {
        const what = `keeps rows of the batch ${id} out of the inventory, and it is gone`;
        check.error(manifest.ledger, what, 'A release would bring nothing back: put the batch back from a copy.');
      }
    }
    // What was dropped is read by the ticks that merge again, or merge what was released.
    await readDropped(objects, ledger);
    findings.count('detections in quarantine', quarantineTotals(ledger).detections);
  } catch (error) {
    check.error(manifest.ledger, messageOf(error), STOPPED);
  }
  return check.errors === 0;
}
