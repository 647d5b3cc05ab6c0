import type { Briefing } from '../../briefing.ts';
import { blockMask, countryName } from '../names.ts';
import { count, line, name } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

export function blocksSection({ blocks }: Briefing): Section {
  return {
    id: 'blocks',
    title: 'Busiest number blocks',
    lines: blocks.length === 0 ? [line`No number was captured.`] : [],
    tables: [
      {
        caption: 'Blocks of a thousand numbers with most captured',
        columns: [text('Block'), text('Country'), figures('Captured'), figures('First-time')],
        rows: blocks.map(({ prefix, country, captured, firstTime }) => [
          name(blockMask(prefix)),
          countryName(country),
          count(captured),
          count(firstTime),
        ]),
      },
    ],
    notes: [],
  };
}
