import type { Briefing } from '../../briefing.ts';
import { count, counted, type Line, line, name } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

export function linksSection({ links }: Briefing): Section {
  return {
    id: 'links',
    title: 'Links',
    lines: [summary(links)],
    tables: [
      {
        caption: 'Hosts of private links',
        columns: [text('Host'), figures('Links'), figures('Numbers'), figures('Projects')],
        rows: links.hosts.map((host) => [
          name(host.host),
          count(host.links),
          count(host.numbers),
          count(host.projects),
        ]),
      },
    ],
    notes: [],
  };
}

function summary({ links, numbers, dedicated }: Briefing['links']): Line {
  if (links === 0) return line`No number was seen through a private link.`;
  const verb = numbers === 1 ? 'was' : 'were';
  return line`${counted(numbers, 'number')} ${verb} seen through ${counted(links, 'private link')} of API receivers; ${count(dedicated)} of them dedicated: seen for a single project and through a single link.`;
}
