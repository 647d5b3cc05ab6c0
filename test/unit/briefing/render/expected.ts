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

function headline({ previous, ...now }: Briefing): Values {
  const pair = (a: number, z: number) => (z === 0 ? [a, z] : [a, (a - z) / z, z]);
  const shares =
    previous.captured === 0 ? [null] : [now.firstTimeShare - previous.firstTimeShare, previous.firstTimeShare];
  return [
    ...pair(now.captured, previous.captured),
    ...pair(now.firstTime, previous.firstTime),
    now.firstTimeShare,
    ...shares,
    ...pair(now.inventory, previous.inventory),
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
    ...shown.flatMap((o) => [o.captured, o.captured, o.share, o.firstTime, o.change]),
    ...others,
    ...onMap.map((origin) => origin.captured),
  ];
}

function extremes({ trend }: Briefing): Values {
  const counts = trend.map((day) => day.captured);
  const ends = [Math.max(...counts), Math.min(...counts)];
  if (counts.length === 0 || ends[0] === ends[1]) return [];
  return ends.flatMap((end) => {
    const days = counts.filter((n) => n === end).length;
    return days === 1 ? [end] : [days, end];
  });
}

function projects({ projects: { count, new: fresh, newCount, growing } }: Briefing): Values {
  return [
    ...(count === 0 ? [] : [count, newCount]),
    ...fresh.map((project) => project.captured),
    ...growing.flatMap((project) => [project.captured, project.previous, project.change]),
    ...(fresh.length < newCount && fresh.length + growing.length > 0 ? [fresh.length] : []),
  ];
}
