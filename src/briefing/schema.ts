/** The schema of a briefing: of what is kept, and of what the API answers. */
import * as v from 'valibot';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';
import type { Briefing } from './briefing.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const date = v.pipe(v.string(), v.isoDate());
const instant = v.pipe(v.string(), v.isoTimestamp());
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1), v.description('A fraction of 1'));
const period = v.object({ from: date, to: v.pipe(date, v.description('Inclusive')), days: count });
const briefingPeriod = v.object({
  ...period.entries,
  complete: v.pipe(v.boolean(), v.description('Whether its last day is over')),
  until: v.pipe(date, v.description('The last day that figures are of: `to`, or today while the period goes on')),
});
const headline = {
  captured: v.pipe(count, v.description('Distinct numbers detected in the period')),
  firstTime: v.pipe(count, v.description('Those whose first seen, over all history, lies in the period')),
  firstTimeShare: v.pipe(share, v.description('Of `captured`')),
  inventory: v.pipe(count, v.description('Distinct numbers first seen not after the period')),
};
const compared = {
  compared: v.pipe(count, v.description('Captured in the days that are compared')),
  previous: v.pipe(count, v.description('Captured in the previous period')),
  change: v.pipe(
    v.nullable(v.number()),
    v.description('`compared` against `previous`, as a fraction of it: 0.1 is a tenth more; null if that had none'),
  ),
};
const channels = v.pipe(
  v.array(v.object({ channel: v.picklist(CHANNELS), firstTime: count, share })),
  v.description('First-time numbers by the channel of their first detection, most first'),
);
const industries = v.pipe(
  v.array(v.object({ industry: v.picklist(INDUSTRIES), captured: count, share })),
  v.description('Most first; a number counts once in each industry, so shares may add up to more than 1'),
);
const project = v.object({
  project: v.string(),
  industry: v.pipe(v.nullable(v.picklist(INDUSTRIES)), v.description('null: none was named, or several')),
  firstDay: v.pipe(date, v.description('Over all history')),
  captured: count,
  ...compared,
});
const comparedFigures = v.object({ period, ...headline, channels, industries });

export const briefingSchema = v.object({
  period: briefingPeriod,
  ...headline,
  origins: v.pipe(
    v.array(
      v.object({
        group: v.pipe(
          v.string(),
          v.description('`US/Canada`, ISO 3166-1 alpha-2, or `International` for plans of no one country'),
        ),
        captured: count,
        firstTime: count,
        share,
        ...compared,
      }),
    ),
    v.description('By captured, most first'),
  ),
  channels,
  industries,
  trend: v.pipe(
    v.array(v.object({ day: date, captured: count, firstTime: count })),
    v.description('Every day until `period.until`. What is captured daily does not add up to that of the period'),
  ),
  compared: v.pipe(
    v.nullable(comparedFigures),
    v.description('The days of the period that are over, which are compared; null: its first day is today'),
  ),
  previous: v.pipe(comparedFigures, v.description('As many days as are compared, just before the period')),
  projects: v.object({
    count: v.pipe(count, v.description('Distinct projects named in the period')),
    new: v.pipe(v.array(project), v.description('Never named before; most captured first, at most 25')),
    newCount: count,
    growing: v.pipe(v.array(project), v.description('By how many more were captured; at most 25')),
  }),
  links: v.pipe(
    v.object({
      links: count,
      numbers: v.pipe(count, v.description('Distinct numbers seen through a link')),
      dedicated: v.pipe(count, v.description('Seen for a single project and through a single link')),
      hosts: v.array(v.object({ host: v.string(), links: count, numbers: count, projects: count })),
    }),
    v.description('Of detections through `api_receiver`'),
  ),
  blocks: v.pipe(
    v.array(
      v.object({
        prefix: v.pipe(v.string(), v.description('International digits without the last three')),
        country: v.nullable(v.string()),
        captured: count,
        firstTime: count,
      }),
    ),
    v.description('Thousand-blocks with most captured numbers, at most 20'),
  ),
  quarantined: v.pipe(
    v.array(
      v.object({
        source: v.nullable(v.string()),
        feed: v.pipe(v.exactOptional(count), v.description('Which of several of this name, in the order of `since`')),
        since: instant,
        reasons: v.array(v.string()),
        detections: count,
      }),
    ),
    v.description('Sources held back from the inventory, as at `generation`; none of their numbers is in the figures'),
  ),
  generation: v.pipe(count, v.description('Of the inventory that the figures were taken from')),
  computedAt: instant,
}) satisfies v.GenericSchema<Briefing>;
