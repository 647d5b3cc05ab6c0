/** A briefing's figures with plain sets over the raw detections: no code shared with what it is compared with. */
import parsePhoneNumber from 'libphonenumber-js/max';
import type { Briefing } from '../../../src/briefing/briefing.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { type Sighting, sightingsOf } from '../../support/activity.ts';

export type PlainBriefing = Omit<Briefing, 'generation' | 'computedAt' | 'quarantined'>;

const MS = 86_400_000;
const dayOf = (date: string) => Date.parse(date) / MS;
const dateOf = (day: number) => new Date(day * MS).toISOString().slice(0, 10);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

/** Distinct numbers by what they are grouped by, as [key, numbers], most first. */
function distinctBy<T>(sightings: readonly T[], key: (s: T) => string | null, item: (s: T) => number | string) {
  const sets = new Map<string, Set<number | string>>();
  for (const sighting of sightings) {
    const name = key(sighting);
    if (name === null) continue;
    const set = sets.get(name) ?? new Set();
    sets.set(name, set.add(item(sighting)));
  }
  return [...sets].sort(([a, x], [b, y]) => y.size - x.size || compare(a, b));
}

const numberOf = ({ number }: Sighting) => number;
const kindText = (s: Sighting) =>
  JSON.stringify([s.label, s.channel, s.industry, s.project, s.link?.host ?? null, s.source]);

const countries = new Map<number, string | null>();
function countryOf(number: number): string | null {
  const known = countries.get(number);
  if (known !== undefined) return known;
  const country = parsePhoneNumber(`+${number}`)?.country ?? null;
  countries.set(number, country);
  return country;
}

function groupOf(number: number): string {
  const country = countryOf(number);
  return country === 'US' || country === 'CA' ? 'US/Canada' : (country ?? 'International');
}

class PlainPeriod {
  readonly from: number;
  readonly to: number;
  readonly sightings: readonly Sighting[];
  readonly captured: ReadonlySet<number>;
  readonly firstTime: readonly Sighting[];
  readonly inventory: number;

  constructor(all: readonly Sighting[], firsts: ReadonlyMap<number, Sighting>, from: number, to: number) {
    this.from = from;
    this.to = to;
    this.sightings = all.filter(({ day }) => day >= from && day <= to);
    this.captured = new Set(this.sightings.map(numberOf));
    this.firstTime = [...firsts.values()].filter(({ day }) => day >= from && day <= to);
    this.inventory = [...firsts.values()].filter(({ day }) => day <= to).length;
  }

  headline() {
    const { from, to } = this;
    return {
      period: { from: dateOf(from), to: dateOf(to), days: to - from + 1 },
      captured: this.captured.size,
      firstTime: this.firstTime.length,
      firstTimeShare: share(this.firstTime.length, this.captured.size),
      inventory: this.inventory,
      channels: distinctBy(this.firstTime, ({ channel }) => channel, numberOf).map(([channel, numbers]) => ({
        channel,
        firstTime: numbers.size,
        share: share(numbers.size, this.firstTime.length),
      })),
      industries: distinctBy(this.sightings, ({ industry }) => industry, numberOf).map(([industry, numbers]) => ({
        industry,
        captured: numbers.size,
        share: share(numbers.size, this.captured.size),
      })),
    };
  }
}

/** Of each number the earliest sighting of all history; in the same second by the canonical order of kinds. */
function firstSightings(all: readonly Sighting[]): Map<number, Sighting> {
  const firsts = new Map<number, Sighting>();
  for (const sighting of all) {
    const known = firsts.get(sighting.number);
    const isEarlier =
      known === undefined ||
      sighting.at < known.at ||
      (sighting.at === known.at && compare(kindText(sighting), kindText(known)) < 0);
    if (isEarlier) firsts.set(sighting.number, sighting);
  }
  return firsts;
}

/**
 * @param todayDate the day on which it is asked for: figures are those until then, and compared are the days before it
 */
export function plainBriefing(
  detections: readonly Detection[],
  fromDate: string,
  toDate: string,
  todayDate = '9999-12-31',
): PlainBriefing {
  const all = sightingsOf(detections);
  const firsts = firstSightings(all);
  const [from, to, today] = [dayOf(fromDate), dayOf(toDate), dayOf(todayDate)];
  const until = Math.min(to, today);
  const daysOver = Math.min(to + 1, today) - from;
  const period = new PlainPeriod(all, firsts, from, until);
  const compared = new PlainPeriod(all, firsts, from, from + daysOver - 1);
  const previous = new PlainPeriod(all, firsts, from - Math.max(daysOver, 1), from - 1);
  const firstTimeNumbers = new Set(period.firstTime.map(numberOf));
  const numbersByGroup = ({ captured }: PlainPeriod) =>
    new Map(distinctBy([...captured], groupOf, (number) => number).map(([group, numbers]) => [group, numbers.size]));
  const [over, before] = [numbersByGroup(compared), numbersByGroup(previous)];
  const change = (captured: number, was: number) => (was === 0 ? null : (captured - was) / was);
  const expected = {
    ...period.headline(),
    period: {
      from: fromDate,
      to: toDate,
      days: to - from + 1,
      complete: today > to,
      until: dateOf(until),
    },
    origins: distinctBy([...period.captured], groupOf, (number) => number).map(([group, numbers]) => ({
      group,
      captured: numbers.size,
      firstTime: [...numbers].filter((number) => firstTimeNumbers.has(Number(number))).length,
      share: share(numbers.size, period.captured.size),
      compared: over.get(group) ?? 0,
      previous: before.get(group) ?? 0,
      change: change(over.get(group) ?? 0, before.get(group) ?? 0),
    })),
    trend: Array.from({ length: until - from + 1 }, (_, i) => ({
      day: dateOf(from + i),
      captured: new Set(period.sightings.filter(({ day }) => day === from + i).map(numberOf)).size,
      firstTime: period.firstTime.filter(({ day }) => day === from + i).length,
    })),
    compared: daysOver === 0 ? null : compared.headline(),
    previous: previous.headline(),
    projects: plainProjects(all, period, compared, previous),
    links: plainLinks(period.sightings),
    blocks: plainBlocks(period.captured, firstTimeNumbers),
  };
  return expected as PlainBriefing;
}

function plainProjects(all: readonly Sighting[], period: PlainPeriod, compared: PlainPeriod, previous: PlainPeriod) {
  const over = new Map(distinctBy(compared.sightings, ({ project }) => project, numberOf));
  const was = new Map(distinctBy(previous.sightings, ({ project }) => project, numberOf));
  const projects = distinctBy(period.sightings, ({ project }) => project, numberOf).map(([project, numbers]) => {
    const named = period.sightings.filter((sighting) => sighting.project === project);
    const industries = new Set(named.flatMap(({ industry }) => industry ?? []));
    const firstDay = Math.min(...all.filter((sighting) => sighting.project === project).map(({ day }) => day));
    const now = over.get(project)?.size ?? 0;
    const before = was.get(project)?.size ?? 0;
    return {
      project,
      industry: industries.size === 1 ? [...industries][0] : null,
      firstDay: dateOf(firstDay),
      captured: numbers.size,
      compared: now,
      previous: before,
      change: before === 0 ? null : (now - before) / before,
    };
  });
  const fresh = projects.filter(({ firstDay }) => dayOf(firstDay) >= period.from && dayOf(firstDay) <= period.to);
  const growth = (project: { compared: number; previous: number }) => project.compared - project.previous;
  return {
    count: projects.length,
    new: fresh.slice(0, 25),
    newCount: fresh.length,
    growing: projects
      .filter((project) => growth(project) > 0)
      .sort((a, b) => growth(b) - growth(a) || compare(a.project, b.project))
      .slice(0, 25),
  };
}

function plainLinks(sightings: readonly Sighting[]) {
  const received = sightings.filter(({ channel }) => channel === 'api_receiver');
  const linked = received.flatMap((s) => (s.link === null ? [] : [{ ...s, link: s.link }]));
  const idOf = ({ link }: (typeof linked)[number]) => `${link.host} ${link.sha256.slice(0, 16)}`;
  const numbers = new Set(linked.map(numberOf));
  const dedicated = [...numbers].filter((number) => {
    const links = new Set(linked.filter((s) => s.number === number).map(idOf));
    const projects = new Set(received.flatMap((s) => (s.number === number ? (s.project ?? []) : [])));
    return links.size === 1 && projects.size === 1;
  });
  return {
    links: new Set(linked.map(idOf)).size,
    numbers: numbers.size,
    dedicated: dedicated.length,
    hosts: distinctBy(linked, ({ link }) => link.host, idOf)
      .slice(0, 25)
      .map(([host, links]) => {
        const here = linked.filter(({ link }) => link.host === host);
        return {
          host,
          links: links.size,
          numbers: new Set(here.map(numberOf)).size,
          projects: new Set(here.flatMap(({ project }) => project ?? [])).size,
        };
      }),
  };
}

function plainBlocks(captured: ReadonlySet<number>, firstTime: ReadonlySet<number>) {
  return distinctBy(
    [...captured],
    (number) => `+${String(number).slice(0, -3)}`,
    (number) => number,
  )
    .slice(0, 20)
    .map(([prefix, numbers]) => ({
      prefix,
      country: countryOf(Math.min(...[...numbers].map(Number))),
      captured: numbers.size,
      firstTime: [...numbers].filter((number) => firstTime.has(Number(number))).length,
    }));
}
