import type { Briefing } from '../../briefing.ts';
import { DEVIATIONS_WORD, MIN_COUNT } from '../chance.ts';
import { count, counted, dateTime, type Line, line, periodLine } from '../parts.ts';

/** How to read the figures, a line each. */
export function definitions({ period, compared, previous, generation, computedAt }: Briefing): Line[] {
  return [
    line`Period: ${periodLine(period)}, days in UTC, first and last included${compared === null ? '' : line`; before: ${periodLine(previous.period)}, of as many days as are compared`}.`,
    ...(period.complete ? [] : [line`So far: until ${dateTime(computedAt)}. ${whatIsCompared(compared)}`]),
    line`Captured: distinct numbers detected in the period. A line that stands for several sightings counts on its first and on its last day.`,
    line`First-time: captured numbers whose first detection, over all history, lies in the period.`,
    line`First-time share: first-time of captured.`,
    line`Inventory: distinct numbers on record whose first detection is not after the period.`,
    line`Change: against the period before; of shares, the difference in percentage points. – where it would be a part of fewer than ${count(MIN_COUNT)} numbers, which says nothing.`,
    line`Words on a change: only where chance alone hardly makes it. The two counts differ by more than ${DEVIATIONS_WORD} standard deviations, that of their difference being the root of their sum, and the larger one is ${count(MIN_COUNT)} at least.`,
    line`Dedicated: numbers seen, in the period, for a single project and through a single private link.`,
    line`Figures are exact counts, not estimates; percentages are rounded to two decimals.`,
    line`Taken from generation ${count(generation)} of the inventory, computed ${dateTime(computedAt)}.`,
  ];
}

/** Of a period that goes on. */
export function whatIsCompared(compared: Briefing['compared']): Line {
  if (compared === null) return line`Its first day is not over, so that nothing is compared.`;
  const { period } = compared;
  return line`Today is not over, so that only the ${counted(period.days, 'day')} before it, ${periodLine(period)}, ${period.days === 1 ? 'is' : 'are'} compared.`;
}
