/** The sections of a briefing's report, and the definitions at its end. */
import { max, min, sum } from 'd3-array';
import type { Briefing, BriefingPeriod, Origin, Period, Project, QuarantinedSource } from '../briefing.ts';
import { INTERNATIONAL } from '../tallies.ts';
import { figures, type Section, type Table, text } from './report.ts';
import { DEVIATIONS_WORD, isChange, isEnough, MIN_COUNT } from './significance.ts';
import {
  blockMask,
  changeFigure,
  count,
  counted,
  countryName,
  dateTime,
  day,
  dayOf,
  type Line,
  line,
  type Name,
  NO_FIGURE,
  name,
  originName,
  type Part,
  periodLine,
  share,
  spelled,
  type Time,
  titled,
} from './text.ts';

export function channelsSection({ channels, previous }: Briefing): Section {
  const before = new Map(previous.channels.map((figure) => [figure.channel, figure.share]));
  return {
    id: 'channels',
    title: 'Channels',
    lines: channels.length === 0 ? [line`No number was seen for the first time.`] : [],
    tables: [
      {
        caption: 'First-time numbers by channel',
        columns: [text('Channel'), figures('First-time'), figures('Share'), figures('Share before')],
        rows: channels.map(({ channel, firstTime, share: now }) => [
          titled(channel),
          count(firstTime),
          share(now),
          share(shareBefore(before.get(channel), previous.firstTime)),
        ]),
      },
    ],
    notes: [line`By the channel of a number’s first detection, so each first-time number counts once.`],
  };
}

export function industriesSection({ industries, previous }: Briefing): Section {
  const before = new Map(previous.industries.map((figure) => [figure.industry, figure.share]));
  return {
    id: 'industries',
    title: 'Industries',
    lines: industries.length === 0 ? [line`No industry was named.`] : [],
    tables: [
      {
        caption: 'Captured numbers by industry',
        columns: [text('Industry'), figures('Captured'), figures('Share'), figures('Share before')],
        rows: industries.map(({ industry, captured, share: now }) => [
          titled(industry),
          count(captured),
          share(now),
          share(shareBefore(before.get(industry), previous.captured)),
        ]),
      },
    ],
    notes: [
      line`A number counts once in each industry it was detected for, so the shares may add up to more than the whole.`,
    ],
  };
}

/**
 * A group that is not named had no numbers, if there were numbers at all.
 * @param total of which it is a share
 */
function shareBefore(named: number | undefined, total: number): number | null {
  return total === 0 ? null : (named ?? 0);
}

/** As many rows as fit beside a picture on a page; a briefing may have more than 200 origins. */
const MOST_SHOWN = 15;

/** The other origins taken together. No number has two origins, so their figures add up. */
interface Others {
  readonly origins: number;
  readonly captured: number;
  readonly firstTime: number;
  readonly share: number;
}

/** The largest origins by name, and the others, if there are any. */
export function largestOrigins({ origins, captured }: Briefing): {
  readonly shown: readonly Origin[];
  readonly others: Others | null;
} {
  // A row for a single other origin would take the place of that origin's own row.
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
  // What the others had before is not known, since some of it may be from origins that are not listed any more.
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
    notes: originNotes(briefing, others),
  };
}

function originNotes({ origins }: Briefing, others: Others | null): Line[] {
  const lines: Line[] = [];
  if (others !== null) {
    lines.push(line`Others are ${counted(others.origins, 'origin')}; the JSON of this briefing has each of them.`);
  }
  if (origins.some(({ group }) => group === INTERNATIONAL)) {
    lines.push(line`International numbers belong to no one country, so they are not on the map.`);
  }
  return lines;
}

export function projectsSection({ period, projects }: Briefing): Section {
  return {
    id: 'projects',
    title: 'Projects',
    lines: [projectsSummary(projects)],
    tables: [newTable(projects.new, period), growingTable(growingProjects(projects), period)],
    notes: projectNotes(projects),
  };
}

/** Projects that grew by more than chance makes. */
export function growingProjects({ growing }: Briefing['projects']): Project[] {
  return growing.filter(({ compared, previous }) => isChange(compared, previous));
}

function projectNotes(projects: Briefing['projects']): Line[] {
  const lines: Line[] = [];
  if (projects.new.length < projects.newCount) {
    lines.push(line`Of the new projects the ${count(projects.new.length)} with most captured numbers are listed.`);
  }
  if (growingProjects(projects).length < projects.growing.length) {
    lines.push(line`Projects that grew by no more than chance makes are left out; the JSON of this briefing has them.`);
  }
  return lines;
}

function projectsSummary({ count: named, newCount }: Briefing['projects']): Line {
  if (named === 0) return line`No project was named.`;
  const verb = named === 1 ? 'was' : 'were';
  return line`${counted(named, 'project')} ${verb} named, ${count(newCount)} of them for the first time over all history.`;
}

function newTable(projects: readonly Project[], period: Period): Table {
  return {
    caption: 'New projects',
    columns: [text('Project'), text('Industry'), text('First named'), figures('Captured')],
    rows: projects.map(({ project, industry, firstDay, captured }) => [
      name(project),
      industryName(industry),
      dayOf(period, firstDay),
      count(captured),
    ]),
  };
}

function growingTable(projects: readonly Project[], { complete }: BriefingPeriod): Table {
  return {
    caption: complete ? 'Growing projects' : 'Growing projects, in the days that are over',
    columns: [text('Project'), text('Industry'), figures('Captured'), figures('Before'), figures('Change')],
    rows: projects.map(({ project, industry, compared, previous, change }) => [
      name(project),
      industryName(industry),
      count(compared),
      count(previous),
      changeFigure(isEnough(previous) ? change : null),
    ]),
  };
}

function industryName(industry: Project['industry']): string {
  return industry === null ? NO_FIGURE : spelled(industry);
}

export function linksSection({ links }: Briefing): Section {
  return {
    id: 'links',
    title: 'Links',
    lines: [linksSummary(links)],
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

function linksSummary({ links, numbers, dedicated }: Briefing['links']): Line {
  if (links === 0) return line`No number was seen through a private link.`;
  const verb = numbers === 1 ? 'was' : 'were';
  return line`${counted(numbers, 'number')} ${verb} seen through ${counted(links, 'private link')} of API receivers; ${count(dedicated)} of them dedicated: seen for a single project and through a single link.`;
}

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

export function trendSection({ period, trend }: Briefing): Section {
  return {
    id: 'trend',
    title: 'Day by day',
    // Today is not over, so it says nothing that it is behind the other days.
    lines: extremes(period.complete ? trend : trend.filter(({ day: iso }) => iso !== period.until)),
    tables: [
      {
        caption: 'Numbers by day (UTC)',
        columns: [text('Day'), figures('Captured'), figures('First-time')],
        rows: trend.map(({ day: iso, captured, firstTime }) => [dayIn(period, iso), count(captured), count(firstTime)]),
      },
    ],
    notes: [line`A number captured on several days counts on each of them; it is first-time on one.`],
  };
}

function dayIn(period: Briefing['period'], iso: string): Time {
  const time = dayOf(period, iso);
  return period.complete || iso !== period.until ? time : { ...time, text: `${time.text}, so far` };
}

/** The days with the most and the fewest captured numbers; nothing if they differ by no more than chance makes. */
function extremes(trend: Briefing['trend']): Line[] {
  const most = max(trend, ({ captured }) => captured);
  const fewest = min(trend, ({ captured }) => captured);
  if (most === undefined || fewest === undefined || !isChange(most, fewest)) return [];
  return [line`Most were captured on ${onDays(trend, most)}; fewest on ${onDays(trend, fewest)}.`];
}

function onDays(trend: Briefing['trend'], captured: number): Line {
  const days = trend.filter((figures) => figures.captured === captured);
  const [first] = days;
  const where = days.length === 1 && first !== undefined ? [day(first.day)] : counted(days.length, 'day');
  return line`${where}: ${count(captured)}`;
}

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

function sourceName(source: QuarantinedSource['source'], feed?: number): string | Name {
  const which = feed === undefined ? '' : `, feed ${feed}`;
  return source === null ? `uploads that name none${which}` : name(source + which);
}

/** How to read the figures, one line each. */
export function definitions({ period, compared, previous, generation, computedAt }: Briefing): Line[] {
  return [
    line`Period: ${periodLine(period)}, days in UTC, first and last included${compared === null ? '' : line`; before: ${periodLine(previous.period)}, of as many days as are compared`}.`,
    ...(period.complete ? [] : [line`So far: until ${dateTime(computedAt)}. ${whatIsCompared(compared)}`]),
    line`Captured: distinct numbers detected in the period. A line that stands for several sightings counts on its first and on its last day.`,
    line`First-time: captured numbers whose first detection, over all history, lies in the period.`,
    line`First-time share: first-time of captured.`,
    line`Inventory: distinct numbers on record whose first detection is not after the period.`,
    line`Change: against the period before; of shares, the difference in percentage points. – where it would be a part of fewer than ${count(MIN_COUNT)} numbers, which says nothing.`,
    line`Words on a change: only where chance alone hardly makes it. The two counts differ by more than ${DEVIATIONS_WORD} standard deviations, that of their difference being the root of their sum, and the larger one is ${count(MIN_COUNT)} at least.`,
    line`Dedicated: numbers seen, in the period, for a single project and through a single private link.`,
    line`Figures are exact counts, not estimates; percentages are rounded to two decimals.`,
    line`Taken from generation ${count(generation)} of the inventory, computed ${dateTime(computedAt)}.`,
  ];
}

/** What is compared while a period goes on. */
export function whatIsCompared(compared: Briefing['compared']): Line {
  if (compared === null) return line`Its first day is not over, so that nothing is compared.`;
  const { period } = compared;
  return line`Today is not over, so that only the ${counted(period.days, 'day')} before it, ${periodLine(period)}, ${period.days === 1 ? 'is' : 'are'} compared.`;
}
