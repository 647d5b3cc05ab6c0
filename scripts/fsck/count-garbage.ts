/** What nothing leads to: left by attempts that lost or stopped, harmless, deleted by the ticks once it is old. */
import {
  FACTS_PREFIX,
  HISTORY_PREFIX,
  LEDGER_PREFIX,
  RETAINED_PREFIX,
  SEGMENT_PREFIX,
  SET_ASIDE_PREFIX,
  WITHDRAWALS_PREFIX,
} from '../../src/store/keys.ts';
import type { History } from './check-history.ts';
import type { Named } from './check-retained.ts';
import { listObjects, listSlices } from './list-all.ts';
import type { Look } from './look.ts';

export async function countGarbage(look: Look, named: Named, history: History): Promise<void> {
  const { slices, findings, progress } = look;
  progress.begin('garbage');
  findings.count('segments that nothing names', await countOthers(look, SEGMENT_PREFIX, named.segments));
  findings.count('facts objects that nothing names', await countOthers(look, FACTS_PREFIX, named.facts));
  findings.count('ledgers that nothing names', await countOthers(look, LEDGER_PREFIX, named.ledgers));
  const lists = await countOthers(look, SET_ASIDE_PREFIX, named.setAside);
  findings.count('lists of batches set aside that nothing names', lists);
  findings.count('lists of withdrawals that nothing names', await countOthers(look, WITHDRAWALS_PREFIX, named.lists));
  findings.count('manifests that are not retained', await countOthers(look, RETAINED_PREFIX, named.manifests));
  const histories = await countOthers(look, HISTORY_PREFIX, new Set());
  // Kept for ever: they are small, and a collector would have to walk the whole chain.
  if (history.isWhole) findings.count('history of attempts never published', histories - history.length);
  let others = 0;
  for await (const { key } of listSlices(slices)) if (!named.slices.has(key)) others += 1;
  findings.count('slices that nothing names', others);
}

async function countOthers({ objects, progress }: Look, prefix: string, named: ReadonlySet<string>): Promise<number> {
  let others = 0;
  for await (const { key } of listObjects(objects, prefix)) {
    if (!named.has(key)) others += 1;
    progress.advance();
  }
  return others;
}
