import type { Briefing } from '../../briefing.ts';
import { titled } from '../names.ts';
import { count, line, share } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

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
 * What is not named had no number, if there were numbers at all.
 * @param total of which it is a share
 */
export function shareBefore(named: number | undefined, total: number): number | null {
  return total === 0 ? null : (named ?? 0);
}
