import { describe, expect, it } from 'vitest';
import type { Briefing } from '../../../../src/briefing/briefing.ts';
import { changesSection } from '../../../../src/briefing/render/changes.ts';
import { renderHtml } from '../../../../src/briefing/render/html.ts';
import { renderMarkdown } from '../../../../src/briefing/render/markdown.ts';
import {
  linksSection,
  originsSection,
  projectsSection,
  trendSection,
} from '../../../../src/briefing/render/sections.ts';
import type { Line } from '../../../../src/briefing/render/text.ts';
import { FORTNIGHT, SILENCE } from './fixture.ts';

const plain = (parts: Line) => parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');
const changes = (briefing: Briefing) => changesSection(briefing).lines.map(plain);
const origin = (group: string, captured: number, previous: number) => ({
  group,
  captured,
  firstTime: 0,
  share: captured / 1000,
  compared: captured,
  previous,
  change: previous === 0 ? null : (captured - previous) / previous,
});

/** Of an ended period, all of which is compared. */
function ended(figures: Partial<Briefing>, briefing = FORTNIGHT): Briefing {
  const whole = { ...briefing, ...figures };
  const { captured, firstTime, firstTimeShare, inventory, channels, industries } = whole;
  const headline = { captured, firstTime, firstTimeShare, inventory, channels, industries };
  return { ...whole, compared: { period: daysOf(whole.period), ...headline } };
}

function daysOf({ from, to, days }: Briefing['period']) {
  return { from, to, days };
}

describe('what changed', () => {
  it('of nothing after nothing', () => {
    expect(changes(SILENCE)).toEqual(['Captured numbers stayed at 0.', 'Numbers in the inventory stayed at 0.']);
  });

  it('of something after nothing has no percentages, and does not call origins new', () => {
    const figures = { captured: 1000, firstTime: 1000, firstTimeShare: 1, inventory: 1000 };
    expect(changes(ended({ ...figures, origins: [origin('PH', 1000, 0)] }, SILENCE))).toEqual([
      'Captured numbers rose from 0 to 1,000.',
      'First-time numbers rose from 0 to 1,000.',
      'Numbers in the inventory rose from 0 to 1,000.',
      'Philippines had the most captured numbers of all origins: 1,000 (100.00 %).',
    ]);
  });

  it('of nothing after something', () => {
    expect(changes(ended({ previous: FORTNIGHT.previous, inventory: 20_382_632 }, SILENCE))).toEqual([
      'Captured numbers fell from 900,017 to 0 (−100.00 %).',
      'First-time numbers fell from 424,003 to 0 (−100.00 %).',
      'Numbers in the inventory stayed at 20,382,632.',
    ]);
  });

  it('names no leader where two are alike, and only moves that there were', () => {
    const origins = [origin('PH', 500, 500), origin('HK', 500, 1000)];
    const lines = changes({ ...FORTNIGHT, origins });
    expect(lines).toContain('No origin had more captured numbers than Philippines: 500 (50.00 %).');
    expect(lines).toContain('Of the origins, Hong Kong alone fell by more than chance makes (−50.00 %).');
    expect(lines.join()).not.toContain('Not captured in the period before');
    const more = [...origins, origin('SG', 400, 200), origin('VN', 300, 200)];
    expect(changes({ ...FORTNIGHT, origins: more })).toContain(
      'Of the 3 origins that changed by more than chance makes, Singapore grew most (+100.00 %) and Hong Kong fell most (−50.00 %).',
    );
  });

  it('lists origins that were not there before, if they are more than a few numbers', () => {
    const origins = [origin('PH', 50, 0), origin('HK', 40, 0), origin('SG', 29, 0), origin('VN', 1, 1)];
    expect(changes({ ...FORTNIGHT, origins })).toContain(
      'Not captured in the period before: Philippines and Hong Kong.',
    );
  });

  it('says which shares moved, also of what is gone, or that none did', () => {
    const channels = [{ channel: 'other', firstTime: 1000, share: 1 }] as const;
    expect(changes(ended({ channels, firstTime: 1000 }))).toContain(
      'Of the channels, other changed its share of the first-time numbers most: from 0.00 % to 100.00 % (+100.00 points).',
    );
    const kept = 'Each of the channels kept its share of the first-time numbers.';
    const { channels: same, firstTime } = FORTNIGHT.previous;
    expect(changes(ended({ channels: same, firstTime }))).toContain(kept);
    const alone = ended({ channels, firstTime: 1000, previous: { ...FORTNIGHT.previous, channels } });
    expect(changes(alone).join()).not.toContain('channels');
  });

  it('counts one as one', () => {
    const [fresh] = FORTNIGHT.projects.new;
    const [source] = FORTNIGHT.quarantined;
    if (fresh === undefined || source === undefined) throw new Error('the fortnight has a project and a source');
    const one = { project: 'Example', captured: 1 };
    const lines = changes({
      ...FORTNIGHT,
      projects: { count: 1, new: [{ ...fresh, ...one }], newCount: 1, growing: [] },
      quarantined: [{ ...source, detections: 1 }],
    });
    expect(lines.slice(-2)).toEqual([
      '1 project was named for the first time: “Example” (1 captured number).',
      '1 source is in quarantine; its 1 detection is in none of the figures.',
    ]);
  });
});

describe('a change that chance alone can make', () => {
  const few = (now: number, before: number, share = 1): Briefing => {
    const { previous } = SILENCE;
    const figures = { captured: now, firstTime: Math.round(now * share), inventory: now };
    const figuresBefore = { captured: before, firstTime: before, inventory: before };
    const [project] = FORTNIGHT.projects.growing;
    if (project === undefined) throw new Error('the fortnight has a growing project');
    const growing = [{ ...project, captured: now, compared: now, previous: before, change: now / before - 1 }];
    return ended(
      {
        ...figures,
        firstTimeShare: figures.firstTime / now,
        origins: [origin('PH', now, before), origin('HK', 40, 40)],
        previous: { ...previous, ...figuresBefore, firstTimeShare: 1 },
        projects: { count: 1, new: [], newCount: 0, growing },
      },
      SILENCE,
    );
  };

  it('is not called one: 1 -> 15', () => {
    const briefing = few(15, 1);
    expect(changes(briefing)).toEqual([
      'Captured numbers: 15, 1 before; not enough to call it a change.',
      'First-time numbers: 15, 1 before; not enough to call it a change.',
      'The share of first-time numbers stayed at 100.00 %.',
      'Numbers in the inventory rose from 1 to 15.',
      'Philippines had the most captured numbers of all origins: 15 (1.50 %).',
    ]);
    expect(renderMarkdown(briefing)).not.toMatch(/1,400|grew|leads/);
    expect(renderHtml(briefing).html).not.toMatch(/1,400|grew|leads|data-value="14"/);
  });

  it('is not called one: 1,000 -> 1,100 is within it, 1,000 -> 1,200 is not', () => {
    expect(changes(few(1100, 1000)).join()).not.toMatch(/rose from 1,000 to 1,100 .*First|grew|leads/);
    expect(changes(few(1200, 1000))).toEqual(
      expect.arrayContaining([
        'Captured numbers rose from 1,000 to 1,200 (+20.00 %).',
        'Of the origins, Philippines alone grew by more than chance makes (+20.00 %).',
        '“Example Social” leads the projects that grew by more than chance makes: from 1,000 to 1,200 captured numbers (+20.00 %).',
      ]),
    );
  });

  it('is not called the largest of shares where a larger one may be chance', () => {
    const shares = (...counts: number[]) =>
      (['otp_marketplace', 'api_receiver', 'other', 'access_tool'] as const).map((channel, i) => {
        const firstTime = counts[i] ?? 0;
        return { channel, firstTime, share: firstTime / 2000 };
      });
    const previous = { ...FORTNIGHT.previous, firstTime: 2000, channels: shares(1000, 0, 995, 5) };
    const briefing = ended({ firstTime: 2000, channels: shares(1050, 0, 900, 50), previous });
    expect(changes(briefing)).toContain(
      'Of the channels, access tool changed its share of the first-time numbers by more than chance makes: from 0.25 % to 2.50 % (+2.25 points).',
    );
  });

  it('is not called one of a share either', () => {
    expect(changes(few(20, 100, 0.9))).toContain(
      'The share of first-time numbers: 90.00 %, 100.00 % before; not enough to call it a change.',
    );
    expect(changes(few(1000, 1000, 0.9))).toContain(
      'The share of first-time numbers fell from 100.00 % to 90.00 % (−10.00 points).',
    );
  });

  it('of much from few is one, without a percentage', () => {
    expect(changes(few(100, 1))).toEqual(
      expect.arrayContaining([
        'Captured numbers rose from 1 to 100.',
        '“Example Social” leads the projects that grew by more than chance makes: from 1 to 100 captured numbers.',
      ]),
    );
  });
});

describe('a period that is not over', () => {
  const { captured, previous } = FORTNIGHT;
  const running: Briefing = {
    ...FORTNIGHT,
    period: { ...FORTNIGHT.period, complete: false, until: '2025-05-30' },
    compared: {
      ...previous,
      period: { from: '2025-05-16', to: '2025-05-29', days: 14 },
      captured: 950_000,
    },
    previous: { ...previous, period: { from: '2025-05-02', to: '2025-05-15', days: 14 } },
  };
  const started: Briefing = {
    ...running,
    compared: null,
    origins: running.origins.map((origin) => ({ ...origin, compared: 0, change: null })),
    projects: { ...running.projects, growing: [] },
  };

  it('says so, and compares the days that are over', () => {
    const markdown = renderMarkdown(running);
    expect(markdown).toContain('# High-risk numbers, 16–30 May 2025, so far\n');
    expect(markdown).toContain(
      'Today is not over, so that only the 14 days before it, 16–29 May 2025, are compared. Compared with 2–15 May 2025.',
    );
    expect(markdown).toContain('| Figure | So far | Days over | Before | Change |');
    expect(markdown).toContain(`| Captured | ${captured.toLocaleString('en')} | 950,000 | 900,017 | +5.55 % |`);
    expect(markdown).toContain('| 30 May, so far |');
    expect(changes(running)).toContain('Captured numbers rose from 900,017 to 950,000 (+5.55 %).');
  });

  it('does not hold what is missing of today against it', () => {
    const trend = FORTNIGHT.trend.map((day) => (day.day === '2025-05-30' ? { ...day, captured: 1 } : day));
    const [line] = trendSection({ ...running, trend }).lines.map(plain);
    expect(line).not.toContain('30 May');
    expect(trendSection({ ...FORTNIGHT, trend }).lines.map(plain)[0]).toContain('fewest on 30 May 2025: 1');
  });

  it('on its first day compares nothing', () => {
    const lines = changes(started);
    expect(lines[0]).toBe('Its first day is not over, so that nothing is compared.');
    expect(lines.join()).not.toMatch(/rose|fell|grew|stayed|before/);
    expect(renderMarkdown(started)).toContain('| Figure | So far |\n');
    expect(renderHtml(started).html).toContain('not compared yet');
  });
});

describe('sections', () => {
  it('take the origins beyond 15 together, but never a single one', () => {
    const many = Array.from({ length: 17 }, (_, i) => origin('PH', 17 - i, 17 - i));
    const rows = (n: number) =>
      originsSection({ ...FORTNIGHT, captured: 153, origins: many.slice(0, n) }).tables[0]?.rows;
    expect(rows(16)?.at(-1)?.[0]).toBe('Philippines');
    expect(rows(17)).toHaveLength(16);
    expect(plain(rows(17)?.at(-1) ?? [])).toBe('Others31.96 %0');
  });

  it('say days alike by their count, and nothing where all are', () => {
    const days = (...counts: number[]) => {
      const trend = counts.map((captured, i) => ({ day: `2025-05-${16 + i}`, captured, firstTime: 0 }));
      return trendSection({ ...FORTNIGHT, trend }).lines.map(plain);
    };
    expect(days(30, 90, 30)).toEqual(['Most were captured on 17 May 2025: 90; fewest on 2 days: 30.']);
    expect(days(30, 30)).toEqual([]);
    expect(days(3, 20)).toEqual([]);
    expect(days(1000, 1100)).toEqual([]);
    expect(days()).toEqual([]);
  });

  it('say the year of a day where the period has two', () => {
    const period = { from: '2024-12-31', to: '2025-01-01', days: 2, complete: true, until: '2025-01-01' };
    const trend = [{ day: '2024-12-31', captured: 1, firstTime: 1 }];
    expect(trendSection({ ...FORTNIGHT, period, trend }).tables[0]?.rows.map(plain)).toEqual(['31 December 202411']);
  });

  it('say how many projects are listed only if not all are', () => {
    const { projects } = FORTNIGHT;
    expect(projectsSection(FORTNIGHT).notes).toHaveLength(1);
    expect(projectsSection({ ...FORTNIGHT, projects: { ...projects, newCount: 4 } }).notes).toEqual([]);
  });

  it('of links', () => {
    const links = { links: 1, numbers: 1, dedicated: 1, hosts: [] };
    expect(linksSection({ ...FORTNIGHT, links }).lines.map(plain)).toEqual([
      '1 number was seen through 1 private link of API receivers; 1 of them dedicated: seen for a single project and through a single link.',
    ]);
  });
});
