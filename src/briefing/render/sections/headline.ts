import type { Briefing } from '../../briefing.ts';
import { changeFigure, count, pointsFigure, share } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

/** As a fraction of what was before; null if that was nothing. */
export function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : (now - before) / before;
}

export function headlineSection({ captured, firstTime, firstTimeShare, inventory, previous }: Briefing): Section {
  const counts = (title: string, now: number, before: number) => [
    title,
    count(now),
    count(before),
    changeFigure(changeOf(now, before)),
  ];
  // A share of nothing is no share.
  const shareBefore = previous.captured === 0 ? null : previous.firstTimeShare;
  const shareChange = shareBefore === null ? null : firstTimeShare - shareBefore;
  return {
    id: 'headline',
    title: 'Headline figures',
    lines: [],
    tables: [
      {
        caption: 'Headline figures',
        columns: [text('Figure'), figures('This period'), figures('Before'), figures('Change')],
        rows: [
          counts('Captured', captured, previous.captured),
          counts('First-time', firstTime, previous.firstTime),
          ['First-time share', share(firstTimeShare), share(shareBefore), pointsFigure(shareChange)],
          counts('Inventory', inventory, previous.inventory),
        ],
      },
    ],
    notes: [],
  };
}
