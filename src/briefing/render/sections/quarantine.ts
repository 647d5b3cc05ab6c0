import type { Briefing, QuarantinedSource } from '../../briefing.ts';
import { count, dateTime, line, type Name, name } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

export function quarantineSection({ quarantined }: Briefing): Section {
  const lead =
    quarantined.length === 0
      ? line`No source is in quarantine.`
      : line`Held back from the inventory; none of their numbers is in the figures of this briefing.`;
  return {
    id: 'quarantine',
    title: 'Sources in quarantine',
    lines: [lead],
    tables: [
      {
        caption: 'Sources in quarantine',
        columns: [text('Source'), text('Since'), text('Bounds broken'), figures('Detections')],
        rows: quarantined.map(({ source, feed, since, reasons, detections }) => [
          sourceName(source, feed),
          dateTime(since),
          name(reasons.join('; ').replaceAll('-', ' ')),
          count(detections),
        ]),
      },
    ],
    notes: [],
  };
}

export function sourceName(source: QuarantinedSource['source'], feed?: number): string | Name {
  const which = feed === undefined ? '' : `, feed ${feed}`;
  return source === null ? `uploads that name none${which}` : name(source + which);
}
