/**
 * Keeping the ledger small, which each tick that merges reads and writes whole: what grows with uploads moves to pages.
 * A tenant has a hundred sources in quarantine, each with piles of its own, so all piles together have a bound as well.
 */
import type { ObjectStore } from '../store/store.ts';
import type { Case, Ledger } from './ledger.ts';
import { foldLeftOut } from './left-out.ts';
import { foldAll, foldPages } from './pile.ts';

/** Batches that a ledger holds of all its piles, some 600 KB of ids; those beyond are on pages, as few as they may be. */
export const MAX_LEDGER_BATCHES = 10_000;

const PILES = ['held', 'due', 'dropped'] as const;

/** Rejects when a page cannot be written: then nothing leads to those that were. */
export async function foldLedger(objects: ObjectStore, ledger: Ledger, randomId: () => string): Promise<Ledger> {
  const cases = await foldCases(objects, ledger.cases, randomId);
  return { ...ledger, ...(await foldLeftOut(objects, ledger, randomId)), cases };
}

/** Beyond the bound the largest piles move first, until half of it is left: so that a page is written for many batches. */
async function foldCases(
  objects: ObjectStore,
  cases: readonly Case[],
  randomId: () => string,
): Promise<readonly Case[]> {
  const folded: Case[] = [];
  for (const one of cases) {
    const fold = (pile: Case['held']) => foldPages(objects, pile, randomId);
    folded.push({ ...one, held: await fold(one.held), due: await fold(one.due), dropped: await fold(one.dropped) });
  }
  const sized = folded.flatMap((one, at) => PILES.map((name) => ({ at, name, size: one[name].batches.length })));
  let total = sized.reduce((sum, { size }) => sum + size, 0);
  if (total <= MAX_LEDGER_BATCHES) return folded;
  for (const { at, name, size } of sized.toSorted((a, b) => b.size - a.size)) {
    if (total <= MAX_LEDGER_BATCHES / 2) break;
    const one = folded[at];
    if (one === undefined) continue;
    folded[at] = { ...one, [name]: await foldAll(objects, one[name], randomId) };
    total -= size;
  }
  return folded;
}
