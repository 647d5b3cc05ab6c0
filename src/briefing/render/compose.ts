/** Puts a briefing's report together from its sections. */
import type { Briefing } from '../briefing.ts';
import { changesSection } from './changes.ts';
import { headlineSection } from './headline.ts';
import type { Report } from './report.ts';
import {
  blocksSection,
  channelsSection,
  definitions,
  industriesSection,
  linksSection,
  originsSection,
  projectsSection,
  quarantineSection,
  trendSection,
  whatIsCompared,
} from './sections.ts';
import { count, dateTime, line, periodLine } from './text.ts';

export function composeReport(briefing: Briefing): Report {
  const { period, compared, previous, generation, computedAt } = briefing;
  const source = line`From generation ${count(generation)} of the inventory, computed ${dateTime(computedAt)}.`;
  const before = compared === null ? [] : line`Compared with ${periodLine(previous.period)}. `;
  return {
    title: line`High-risk numbers, ${periodLine(period)}${period.complete ? '' : ', so far'}`,
    lead: period.complete ? line`${before}${source}` : line`${whatIsCompared(compared)} ${before}${source}`,
    sections: [
      headlineSection(briefing),
      changesSection(briefing),
      originsSection(briefing),
      channelsSection(briefing),
      industriesSection(briefing),
      trendSection(briefing),
      projectsSection(briefing),
      linksSection(briefing),
      blocksSection(briefing),
      quarantineSection(briefing),
    ],
    definitions: definitions(briefing),
  };
}
