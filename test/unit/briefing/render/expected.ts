/** Which values each section must print, put together from the JSON alone. */
import type { Briefing } from '../../../../src/briefing/briefing.ts';

type Values = readonly (number | null)[];

export function expectedValues(b: Briefing): Readonly<Record<string, Values>> {
  return {
    headline: headline(b),
    origins: origins(b),
    channels: b.channels.flatMap((c) => {
      const before = b.previous.channels.find(({ channel }) => channel === c.channel)?.share ?? 0;
      return [c.share, c.firstTime, c.share, b.previous.firstTime === 0 ? null : before];
    }),
    industries: b.industries.flatMap((i) => {
      const before = b.previous.industries.find(({ industry }) => industry === i.industry)?.share ?? 0;
      return [i.share, i.captured, i.share, b.previous.captured === 0 ? null : before];
    }),
    trend: [...extremes(b), ...b.trend.flatMap((day) => [day.captured, day.firstTime])],
    projects: projects(b),
    links: [
      ...(b.links.links === 0 ? [] : [b.links.links, b.links.numbers, b.links.dedicated]),
      ...b.links.hosts.flatMap((host) => [host.links, host.numbers, host.projects]),
    ],
    blocks: b.blocks.flatMap((block) => [block.captured, block.firstTime]),
    quarantine: b.quarantined.map((source) => source.detections),
  };
}

/** What a percentage needs to be a part of. */
const areEnough = (...counts: readonly number[]) => counts.every((n) => n >= 30);

function headline({ previous: before, compared: over, ...now }: Briefing): Values {
  const shareOf = (of: { captured: number; firstTimeShare: number }) => (of.captured === 0 ? null : of.firstTimeShare);
  const figures = [now.captured, now.firstTime, shareOf(now), now.inventory];
  if (over === null) return figures;
  const change = (a: number, z: number) => (areEnough(z) ? [(a - z) / z] : []);
  return [
    ...figures,
    ...(now.period.complete ? [] : [over.captured, over.firstTime, shareOf(over), over.inventory]),
    ...[before.captured, before.firstTime, shareOf(before), before.inventory],
    ...change(over.captured, before.captured),
    ...change(over.firstTime, before.firstTime),
    ...(areEnough(over.captured, before.captured) ? [over.firstTimeShare - before.firstTimeShare] : []),
    ...change(over.inventory, before.inventory),
  ];
}

/** Bars and table of 15 and the rest, or of all if these are no more than 16; circles of the map. */
function origins({ captured, origins: all }: Briefing): Values {
  const shown = all.length > 16 ? all.slice(0, 15) : all;
  const rest = all.slice(shown.length);
  const sum = (of: 'captured' | 'firstTime') => rest.reduce((total, origin) => total + origin[of], 0);
  const others =
    rest.length === 0
      ? []
      : [sum('captured'), sum('captured'), sum('captured') / captured, sum('firstTime'), rest.length];
  const onMap = all.filter(({ group, captured: n }) => group !== 'International' && n > 0);
  return [
    ...shown.flatMap((o) => [o.captured, o.captured, o.share, o.firstTime, changeIn(o)]),
    ...others,
    ...onMap.map((origin) => origin.captured),
  ];
}

function changeIn({ previous, change }: { previous: number; change: number | null }) {
  return areEnough(previous) ? change : null;
}

/** Beyond four standard deviations of the difference of two Poisson counts, and not of next to nothing. */
const isBeyondChance = (a: number, b: number) => areEnough(Math.max(a, b)) && (a - b) ** 2 > 16 * (a + b);

function extremes({ period, trend }: Briefing): Values {
  const counts = trend.filter(({ day }) => period.complete || day !== period.until).map((day) => day.captured);
  const ends = [Math.max(...counts), Math.min(...counts)];
  if (counts.length === 0 || !isBeyondChance(Math.max(...counts), Math.min(...counts))) return [];
  return ends.flatMap((end) => {
    const days = counts.filter((n) => n === end).length;
    return days === 1 ? [end] : [days, end];
  });
}

function projects({ projects: { count, new: fresh, newCount, growing } }: Briefing): Values {
  const shown = growing.filter(({ compared, previous }) => isBeyondChance(compared, previous));
  return [
    ...(count === 0 ? [] : [count, newCount]),
    ...fresh.map((project) => project.captured),
    ...shown.flatMap((project) => [project.compared, project.previous, changeIn(project)]),
    ...(fresh.length < newCount && fresh.length + shown.length > 0 ? [fresh.length] : []),
  ];
}
