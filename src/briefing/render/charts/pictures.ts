/** Which section has which pictures. */
import type { Briefing } from '../../briefing.ts';
import { originName, titled } from '../names.ts';
import { count, share } from '../parts.ts';
import type { SectionId } from '../report.ts';
import { largestOrigins } from '../sections/origins.ts';
import { barChart } from './bars.ts';
import { worldMap } from './map.ts';
import type { Markup } from './svg.ts';
import { trendChart } from './trend.ts';

export interface Pictures {
  /** As wide as the page. */
  readonly wide?: Drawing;
  /** Beside the table. */
  readonly beside?: Drawing;
}

export interface Drawing {
  readonly caption: string;
  readonly drawing: Markup;
}

/** None where there is nothing to draw. */
export function picturesOf(id: SectionId, briefing: Briefing): Pictures {
  switch (id) {
    case 'origins':
      return briefing.origins.length === 0 ? {} : originPictures(briefing);
    case 'channels':
      return briefing.channels.length === 0 ? {} : { beside: channelBars(briefing) };
    case 'industries':
      return briefing.industries.length === 0 ? {} : { beside: industryBars(briefing) };
    case 'trend':
      return briefing.trend.length === 0 ? {} : { beside: trendLines(briefing) };
    default:
      return {};
  }
}

function originPictures(briefing: Briefing): Pictures {
  const { shown, others } = largestOrigins(briefing);
  const rows = shown.map(({ group, captured, firstTime }) => ({ name: originName(group), captured, firstTime }));
  if (others !== null) rows.push({ name: 'Others', captured: others.captured, firstTime: others.firstTime });
  const about = {
    id: 'origin-bars',
    title: 'Captured and first-time numbers by origin',
    description: 'A bar for each origin in the order of the table beside it, its first-time part solid.',
  };
  const bars = rows.map(({ name, captured, firstTime }) => ({ name, figure: count(captured), part: firstTime }));
  return {
    wide: { caption: 'Circles: captured numbers, by area.', drawing: worldMap(briefing) },
    beside: { caption: 'Bars: captured numbers; the solid part of each: first-time.', drawing: barChart(about, bars) },
  };
}

function channelBars({ channels }: Briefing): Drawing {
  const about = {
    id: 'channel-bars',
    title: 'Shares of first-time numbers by channel',
    description: 'A bar for each channel in the order of the table beside it.',
  };
  const bars = channels.map((figures) => ({ name: titled(figures.channel), figure: share(figures.share) }));
  return { caption: 'Bars: share of first-time numbers.', drawing: barChart(about, bars) };
}

function industryBars({ industries }: Briefing): Drawing {
  const about = {
    id: 'industry-bars',
    title: 'Shares of captured numbers by industry',
    description: 'A bar for each industry in the order of the table beside it.',
  };
  const bars = industries.map((figures) => ({ name: titled(figures.industry), figure: share(figures.share) }));
  return { caption: 'Bars: share of captured numbers.', drawing: barChart(about, bars) };
}

function trendLines({ period, trend }: Briefing): Drawing {
  const caption = period.complete ? 'Numbers by day (UTC).' : 'Numbers by day (UTC); the last day is not over.';
  return { caption, drawing: trendChart(trend) };
}
