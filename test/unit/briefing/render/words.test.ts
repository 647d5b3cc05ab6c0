import { describe, expect, it } from 'vitest';
import type { Briefing } from '../../../../src/briefing/briefing.ts';
import type { Line } from '../../../../src/briefing/render/parts.ts';
import { linksSection } from '../../../../src/briefing/render/sections/links.ts';
import { originsSection } from '../../../../src/briefing/render/sections/origins.ts';
import { projectsSection } from '../../../../src/briefing/render/sections/projects.ts';
import { trendSection } from '../../../../src/briefing/render/sections/trend.ts';
import { changesSection } from '../../../../src/briefing/render/words.ts';
import { FORTNIGHT, SILENCE } from './fixture.ts';

const plain = (parts: Line) => parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');
const changes = (briefing: Briefing) => changesSection(briefing).lines.map(plain);
const origin = (group: string, captured: number, change: number | null) => ({
  group,
  captured,
  firstTime: 0,
  share: captured / 10,
  change,
});

describe('what changed', () => {
  it('of nothing after nothing', () => {
    expect(changes(SILENCE)).toEqual(['Captured numbers stayed at 0.', 'Numbers in the inventory stayed at 0.']);
  });

  it('of something after nothing has no percentages, and does not call origins new', () => {
    const first = {
      ...SILENCE,
      captured: 10,
      firstTime: 10,
      firstTimeShare: 1,
      inventory: 10,
      origins: [origin('PH', 10, null)],
    };
    expect(changes(first)).toEqual([
      'Captured numbers rose from 0 to 10.',
      'First-time numbers rose from 0 to 10.',
      'Numbers in the inventory rose from 0 to 10.',
      'Philippines had the most captured numbers of all origins: 10 (100.00 %).',
    ]);
  });

  it('of nothing after something', () => {
    expect(changes({ ...SILENCE, previous: FORTNIGHT.previous, inventory: 20_382_632 })).toEqual([
      'Captured numbers fell from 900,017 to 0 (−100.00 %).',
      'First-time numbers fell from 424,003 to 0 (−100.00 %).',
      'Numbers in the inventory stayed at 20,382,632.',
    ]);
  });

  it('names no leader where two are alike, and only moves that there were', () => {
    const origins = [origin('PH', 5, 0), origin('HK', 5, -0.5)];
    const lines = changes({ ...FORTNIGHT, origins });
    expect(lines).toContain('No origin had more captured numbers than Philippines: 5 (50.00 %).');
    expect(lines).toContain('Of the 2 origins, Hong Kong fell most (−50.00 %).');
    expect(lines.join()).not.toContain('Not captured in the period before');
  });

  it('lists origins that were not there before', () => {
    const origins = [origin('PH', 5, null), origin('HK', 4, null), origin('SG', 1, 1)];
    expect(changes({ ...FORTNIGHT, origins })).toContain(
      'Not captured in the period before: Philippines and Hong Kong.',
    );
  });

  it('says which shares moved, also of what is gone, or that none did', () => {
    const channels = [{ channel: 'other', firstTime: 1, share: 1 }] as const;
    expect(changes({ ...FORTNIGHT, channels })).toContain(
      'Of the channels, other changed its share of the first-time numbers most: from 0.00 % to 100.00 % (+100.00 points).',
    );
    const kept = 'Each of the channels kept its share of the first-time numbers.';
    const same = { ...FORTNIGHT, channels: FORTNIGHT.previous.channels };
    expect(changes(same)).toContain(kept);
    const alone = { ...FORTNIGHT, channels, previous: { ...FORTNIGHT.previous, channels } };
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

describe('sections', () => {
  it('take the origins beyond 15 together, but never a single one', () => {
    const many = Array.from({ length: 17 }, (_, i) => origin('PH', 17 - i, 0));
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
    expect(days(3, 9, 3)).toEqual(['Most were captured on 17 May 2025: 9; fewest on 2 days: 3.']);
    expect(days(3, 3)).toEqual([]);
    expect(days()).toEqual([]);
  });

  it('say the year of a day where the period has two', () => {
    const period = { from: '2024-12-31', to: '2025-01-01', days: 2 };
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
