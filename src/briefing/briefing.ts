/** The briefing on a period, as the API answers it, and its schema. The names of its fields are part of the API. */

import * as v from 'valibot';
import { CHANNELS, type Channel, INDUSTRIES, type Industry } from '../format/attributes.ts';
import { count, instant } from '../lib/schema.ts';

/**
 * Figures of a period count distinct numbers, over the detections whose day lies in it; an aggregated line counts on
 * its first and on its last day. Shares are fractions of 1, unrounded. Days are UTC, YYYY-MM-DD.
 *
 * If a period is not over, its figures are those so far, today included. Only days that are over are compared, with as
 * many days just before the period: today is a part of a day, so compared with whole days it would always seem to have
 * fallen.
 */
export interface Briefing {
  readonly period: BriefingPeriod;
  /** Distinct numbers detected in the period. */
  readonly captured: number;
  /** Those of them that were first seen, over all history, in the period. */
  readonly firstTime: number;
  /** Of `captured`; 0 if nothing was captured. */
  readonly firstTimeShare: number;
  /** Distinct numbers on record that were first seen no later than the end of the period. */
  readonly inventory: number;
  /** Ordered by captured, most first. */
  readonly origins: readonly Origin[];
  /** Ordered by first-time, most first. A number counts for the channel of its first detection. */
  readonly channels: readonly ChannelFigures[];
  /**
   * Ordered by captured, most first. A number counts once in each industry it was detected for, so shares may exceed 1
   * together.
   */
  readonly industries: readonly IndustryFigures[];
  /** Every day of the period until `period.until`, in order. */
  readonly trend: readonly DayFigures[];
  /**
   * The figures that are compared with `previous`: those of the days of the period that are over. Once the period is
   * over they equal the figures above. null: the period begins today, and nothing is compared.
   */
  readonly compared: ComparedFigures | null;
  /** As many days as are compared, just before the period; if none are compared, the day before it. */
  readonly previous: ComparedFigures;

  readonly projects: ProjectFigures;
  readonly links: LinkFigures;
  /** The thousand-blocks with most captured numbers, most first. */
  readonly blocks: readonly BlockFigures[];
  /** Sources that were held back at `generation`. None of their numbers is in the figures. */
  readonly quarantined: readonly QuarantinedSource[];
  /** The generation of the inventory that the figures were taken from, and when. */
  readonly generation: number;
  readonly computedAt: string;
}

export interface Period {
  readonly from: string;
  /** Inclusive. */
  readonly to: string;
  readonly days: number;
}

export interface BriefingPeriod extends Period {
  /** Whether its last day is over. */
  readonly complete: boolean;
  /** The last day that figures cover: `to`, or today while the period goes on. */
  readonly until: string;
}

export interface Origin {
  /** `US/Canada`, an ISO 3166-1 alpha-2 code, or `International` for plans that belong to no single country. */
  readonly group: string;
  readonly captured: number;
  readonly firstTime: number;
  /** As a fraction of all that were captured. */
  readonly share: number;
  /** Captured in the days that are compared. */
  readonly compared: number;
  /** Captured in the previous period. */
  readonly previous: number;
  /** `compared` against `previous`, as a fraction of it: 0.1 is a tenth more; null if that had none. */
  readonly change: number | null;
}

export interface ChannelFigures {
  readonly channel: Channel;
  readonly firstTime: number;
  /** As a fraction of all that were first-time. */
  readonly share: number;
}

export interface IndustryFigures {
  readonly industry: Industry;
  readonly captured: number;
  /** As a fraction of all that were captured. */
  readonly share: number;
}

export interface DayFigures {
  readonly day: string;
  /** Distinct numbers detected that day: these do not add up to those of the period. */
  readonly captured: number;
  /** First seen that day: these do. */
  readonly firstTime: number;
}

export interface ComparedFigures {
  readonly period: Period;
  readonly captured: number;
  readonly firstTime: number;
  readonly firstTimeShare: number;
  readonly inventory: number;
  readonly channels: readonly ChannelFigures[];
  readonly industries: readonly IndustryFigures[];
}

export interface ProjectFigures {
  /** Distinct projects named in the period. */
  readonly count: number;
  /** Projects named in the period for the first time over all history; most captured first, at most 25. */
  readonly new: readonly Project[];
  readonly newCount: number;
  /** Projects with more in `compared` than in `previous`, the largest difference first, at most 25. */
  readonly growing: readonly Project[];
}

export interface Project {
  readonly project: string;
  readonly industry: Industry | null;
  readonly firstDay: string;
  readonly captured: number;
  /** These three as for an origin. */
  readonly compared: number;
  readonly previous: number;
  readonly change: number | null;
}

/** Of detections through `api_receiver`: "one number, one project, one link". */
export interface LinkFigures {
  /** Distinct links, and distinct numbers seen through one. */
  readonly links: number;
  readonly numbers: number;
  /** Numbers that were seen in the period for a single project and through a single link. */
  readonly dedicated: number;
  /** Ordered by links, most first, at most 25. */
  readonly hosts: readonly LinkHost[];
}

interface LinkHost {
  readonly host: string;
  readonly links: number;
  readonly numbers: number;
  readonly projects: number;
}

export interface BlockFigures {
  /** International digits without the last three, such as `+12025550`. */
  readonly prefix: string;
  readonly country: string | null;
  readonly captured: number;
  readonly firstTime: number;
}

export interface QuarantinedSource {
  /** null: the uploads named no source. */
  readonly source: string | null;
  /**
   * Present where feeds of several tenants with this name are held back: which of them, from 1 on, in the order of
   * `since`.
   */
  readonly feed?: number;
  /** Date-time, UTC. */
  readonly since: string;
  /** The bounds that it broke. */
  readonly reasons: readonly string[];
  readonly detections: number;
}

const date = v.pipe(v.string(), v.isoDate());
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
