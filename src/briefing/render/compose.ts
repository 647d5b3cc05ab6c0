import type { Briefing } from '../briefing.ts';
import { count, dateTime, line, periodLine } from './parts.ts';
import type { Report } from './report.ts';
import { blocksSection } from './sections/blocks.ts';
import { channelsSection, industriesSection } from './sections/breakdowns.ts';
import { definitions, whatIsCompared } from './sections/definitions.ts';
import { headlineSection } from './sections/headline.ts';
import { linksSection } from './sections/links.ts';
import { originsSection } from './sections/origins.ts';
import { projectsSection } from './sections/projects.ts';
import { quarantineSection } from './sections/quarantine.ts';
import { trendSection } from './sections/trend.ts';
import { changesSection } from './words.ts';

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
