/** The sources of a ledger as an operator sees them. */
import { idOf, idText, type SourceId } from '../format/source.ts';
import { dayOf } from '../lib/time.ts';
import { type Ledger, newCase } from './ledger.ts';
import { type DayFigures, type Figures, type Shares, sharesOf, sum } from './quarantine.ts';

export interface SourceOverview extends SourceId {
  readonly state: 'accepted' | 'quarantined' | 'trusted';
  /** Milliseconds since 1970, of the state; null for one that nothing was ever decided of. */
  readonly since: number | null;
  /** Of the quarantine, or what is not judged while it is trusted. */
  readonly reasons: readonly string[];
  /** Milliseconds since 1970; null unless it is trusted. */
  readonly trustedUntil: number | null;
  /** Id of the key that released or dropped last. */
  readonly by: string | null;
  /** Detections. */
  readonly held: number;
  readonly due: number;
  readonly dropped: number;
  /** Of the days below. */
  readonly totals: Figures;
  readonly shares: Shares;
  /** UTC days since 1970 on which uploads arrived, oldest first. */
  readonly days: readonly DayFigures[];
}

/** Those held back first, then those with the most lines. */
export function sourceOverviews(ledger: Ledger, now: number, keptDays: number): SourceOverview[] {
  const days = new Map(ledger.sources.map((one) => [idText(one), one.days]));
  const cases = new Map(ledger.cases.map((one) => [idText(one), one]));
  const ids = new Map([...ledger.cases, ...ledger.sources].map((one) => [idText(one), idOf(one)]));
  const oldest = dayOf(now / 1000) - keptDays;
  const all = [...ids].map(([text, id]): SourceOverview => {
    const known = cases.get(text);
    const { state, trust, since, reasons, by, held, due, dropped } = known ?? newCase(id, 0);
    const isTrusted = state === 'released' && trust !== null && now < trust.until;
    const recent = (days.get(text) ?? []).filter(({ day }) => day > oldest);
    const totals = sum(recent);
    return {
      ...id,
      state: known !== undefined && state === 'quarantined' ? 'quarantined' : isTrusted ? 'trusted' : 'accepted',
      since: known === undefined ? null : since,
      reasons: state === 'quarantined' ? reasons : isTrusted ? trust.reasons : [],
      trustedUntil: isTrusted ? trust.until : null,
      by,
      held: held.detections,
      due: due.detections,
      dropped: dropped.detections,
      totals,
      shares: sharesOf(totals),
      days: recent,
    };
  });
  const rank = ({ state, totals }: SourceOverview) =>
    state === 'quarantined' ? Infinity : totals.lines + totals.accepted;
  return all.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}
