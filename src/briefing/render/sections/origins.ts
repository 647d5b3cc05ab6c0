import { sum } from 'd3-array';
import type { Briefing, Origin } from '../../briefing.ts';
import { isEnough } from '../chance.ts';
import { originName } from '../names.ts';
import { changeFigure, count, counted, type Line, line, type Part, share } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

/** What fits beside the table on a page; a briefing may have more than 200. */
const MOST_SHOWN = 15;
const INTERNATIONAL = 'International';

/** The rest of the origins taken together. Origins do not overlap, so their figures add up. */
export interface Others {
  readonly origins: number;
  readonly captured: number;
  readonly firstTime: number;
  readonly share: number;
}

/** The largest origins by name, and the others if there are any. */
export function largestOrigins({ origins, captured }: Briefing): {
  readonly shown: readonly Origin[];
  readonly others: Others | null;
} {
  // A row for one other would take the place of that one's own.
  if (origins.length <= MOST_SHOWN + 1) return { shown: origins, others: null };
  const rest = origins.slice(MOST_SHOWN);
  const captures = sum(rest, (origin) => origin.captured);
  const others = {
    origins: rest.length,
    captured: captures,
    firstTime: sum(rest, (origin) => origin.firstTime),
    share: captured === 0 ? 0 : captures / captured,
  };
  return { shown: origins.slice(0, MOST_SHOWN), others };
}

export function originsSection(briefing: Briefing): Section {
  const { shown, others } = largestOrigins(briefing);
  const rows = shown.map((origin): Part[] => [
    originName(origin.group),
    count(origin.captured),
    share(origin.share),
    count(origin.firstTime),
    changeFigure(isEnough(origin.previous) ? origin.change : null),
  ]);
  // What the others had before is not known: some of that may be gone from the list altogether.
  if (others !== null) rows.push(['Others', count(others.captured), share(others.share), count(others.firstTime), '']);
  return {
    id: 'origins',
    title: 'Origins',
    lines: shown.length === 0 ? [line`No number was captured.`] : [],
    tables: [
      {
        caption: 'Numbers by origin',
        columns: [text('Origin'), figures('Captured'), figures('Share'), figures('First-time'), figures('Change')],
        rows,
      },
    ],
    notes: notes(briefing, others),
  };
}

function notes({ origins }: Briefing, others: Others | null): Line[] {
  const lines: Line[] = [];
  if (others !== null) {
    lines.push(line`Others are ${counted(others.origins, 'origin')}; the JSON of this briefing has each of them.`);
  }
  if (origins.some(({ group }) => group === INTERNATIONAL)) {
    lines.push(line`International numbers belong to no one country, so they are not on the map.`);
  }
  return lines;
}
