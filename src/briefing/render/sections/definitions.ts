import type { Briefing } from '../../briefing.ts';
import { count, dateTime, type Line, line, periodLine } from '../parts.ts';

/** How to read the figures, a line each. */
export function definitions({ period, previous, generation, computedAt }: Briefing): Line[] {
  return [
    line`Period: ${periodLine(period)}, days in UTC, first and last included; before: ${periodLine(previous.period)}, of equal length.`,
    line`Captured: distinct numbers detected in the period. A line that stands for several sightings counts on its first and on its last day.`,
    line`First-time: captured numbers whose first detection, over all history, lies in the period.`,
    line`First-time share: first-time of captured.`,
    line`Inventory: distinct numbers on record whose first detection is not after the period.`,
    line`Change: against the period before; – if that had none. Of shares, the difference in percentage points.`,
    line`Dedicated: numbers seen, in the period, for a single project and through a single private link.`,
    line`Figures are exact counts, not estimates; percentages are rounded to two decimals.`,
    line`Taken from generation ${count(generation)} of the inventory, computed ${dateTime(computedAt)}.`,
  ];
}
