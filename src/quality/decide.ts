/** An admin's decisions, as changes of the ledger: pure. They take effect with the generation that names the ledger. */
import type { Reason } from './bounds.ts';
import { type Case, caseOf, isQuarantined, type Ledger, type SourceId, withCases } from './ledger.ts';
import { EMPTY_PILE, joinPiles } from './pile.ts';

/** Longer than the longest window, so that what was released is out of it before it could be judged again. */
export const TRUST_DAYS = 30;
const DAY_MS = 86_400_000;

export interface Decision extends SourceId {
  /** Id of the key of whoever decides. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** With a source's held rows to be merged; null if it is not in quarantine. */
export function released(ledger: Ledger, { by, now, ...id }: Decision): Ledger | null {
  return changed(ledger, id, now, (found) => ({
    ...found,
    state: 'released',
    since: now,
    by,
    held: EMPTY_PILE,
    due: joinPiles(found.due, found.held),
    trust: { until: now + TRUST_DAYS * DAY_MS, reasons: trustedReasons(found, now) },
  }));
}

/** Those of this release, and of an earlier one that is still in force: or it would be held for them at once. */
function trustedReasons({ reasons, trust }: Case, now: number): readonly Reason[] {
  return [...new Set([...(trust !== null && now < trust.until ? trust.reasons : []), ...reasons])];
}

/** With a source's held rows never to be merged; it stays in quarantine. null if it is not in it. */
export function dropped(ledger: Ledger, { by, now, ...id }: Decision): Ledger | null {
  return changed(ledger, id, now, (found) => ({
    ...found,
    by,
    held: EMPTY_PILE,
    // Released, quarantined anew before all of it was merged: what is not merged yet is dropped as well.
    due: EMPTY_PILE,
    dropped: joinPiles(found.dropped, joinPiles(found.due, found.held)),
  }));
}

/** How an admin names a source: what is left out may be anything. */
export interface SourceChoice {
  readonly source: SourceId['source'];
  readonly tenant?: string | undefined;
  readonly key?: string | undefined;
  readonly every?: boolean | undefined;
}

/** Those in quarantine that are meant. */
export function chosen({ cases }: Ledger, { source, tenant, key, every }: SourceChoice): readonly Case[] {
  const isMeant = (wanted: unknown, found: unknown) => wanted === undefined || wanted === found;
  return cases.filter(
    (one) =>
      isQuarantined(one) &&
      one.source === source &&
      isMeant(tenant, one.tenant) &&
      isMeant(key, one.key) &&
      isMeant(every, one.every === true),
  );
}

function changed(ledger: Ledger, id: SourceId, now: number, edit: (found: Case) => Case): Ledger | null {
  const found = caseOf(ledger, id);
  return found === undefined || !isQuarantined(found) ? null : withCases(ledger, [edit(found)], now);
}
