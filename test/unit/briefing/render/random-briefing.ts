/** Any briefing that agrees with itself: lists may be empty, counts zero, and the period before without a number. */
import fc from 'fast-check';
import type { Briefing, ComparedFigures, Project } from '../../../../src/briefing/briefing.ts';
import { CHANNELS, INDUSTRIES } from '../../../../src/format/attributes.ts';

const GROUPS = [
  'US/Canada',
  'International',
  ...'PH HK ID VN SG GB BR IN MY TH DE FR MX NG ES IT PL TR CO ZA'.split(' '),
];
const count = fc.oneof(fc.constant(0), fc.constant(1), fc.nat(50), fc.nat(1_000_000_000));
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constant('7 | <b>1</b>'));
const day = fc.integer({ min: 16, max: 30 }).map((n) => `2025-05-${n}`);
/** Few and many on both sides of what is enough for a word, and of what chance makes. */
const compared = fc
  .record({
    compared: fc.oneof(count, fc.nat(200)),
    previous: fc.oneof(count, fc.nat(200)),
  })
  .map((counts) => ({
    ...counts,
    change: counts.previous === 0 ? null : (counts.compared - counts.previous) / counts.previous,
  }));

const project: fc.Arbitrary<Project> = fc
  .record({
    project: text,
    industry: fc.option(fc.constantFrom(...INDUSTRIES)),
    firstDay: day,
    captured: count,
    compared,
  })
  .map(({ compared: counts, ...rest }) => ({ ...rest, ...counts }));

const shareOf = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
const several = <T>(all: readonly T[]) => fc.shuffledSubarray([...all]);

const figures = fc
  .record({
    parts: fc.array(fc.tuple(count, count), { minLength: 0, maxLength: GROUPS.length }),
    groups: fc.shuffledSubarray(GROUPS, { minLength: GROUPS.length }),
    inventory: count,
    channels: several(CHANNELS),
    industries: several(INDUSTRIES),
    changes: fc.array(compared, { minLength: GROUPS.length, maxLength: GROUPS.length }),
  })
  .map(({ parts, groups, inventory, channels, industries, changes }) => {
    const captured = parts.reduce((sum, [n]) => sum + n, 0);
    const origins = parts
      .map(([n, first], i) => ({
        group: groups[i] ?? 'US/Canada',
        captured: n,
        firstTime: Math.min(n, first),
        share: shareOf(n, captured),
        ...(changes[i] ?? { compared: 0, previous: 0, change: null }),
      }))
      .sort((a, b) => b.captured - a.captured);
    const firstTime = origins.reduce((sum, origin) => sum + origin.firstTime, 0);
    const part = (whole: number, i: number) => Math.floor(whole / 2 ** (i + 1));
    return {
      captured,
      firstTime,
      firstTimeShare: shareOf(firstTime, captured),
      inventory,
      origins,
      channels: channels.map((channel, i) => {
        const n = part(firstTime, i);
        return { channel, firstTime: n, share: shareOf(n, firstTime) };
      }),
      industries: industries.map((industry, i) => {
        const n = part(captured, i);
        return { industry, captured: n, share: shareOf(n, captured) };
      }),
    };
  });

export const anyBriefing: fc.Arbitrary<Briefing> = fc
  .record({
    now: figures,
    before: figures,
    over: figures,
    state: fc.constantFrom('complete', 'running', 'first day'),
    trend: fc.array(fc.record({ day, captured: count, firstTime: count }), { maxLength: 60 }),
    projects: fc.record({
      count,
      new: fc.array(project, { maxLength: 3 }),
      newCount: count,
      growing: fc.array(project, { maxLength: 3 }),
    }),
    links: fc.record({
      links: count,
      numbers: count,
      dedicated: count,
      hosts: fc.array(fc.record({ host: text, links: count, numbers: count, projects: count }), { maxLength: 3 }),
    }),
    blocks: fc.array(
      fc.record({
        prefix: fc.constant('+12025550'),
        country: fc.option(fc.constant('US')),
        captured: count,
        firstTime: count,
      }),
      { maxLength: 3 },
    ),
    quarantined: fc.array(
      fc.record({
        source: fc.option(text),
        since: fc.constant('2025-05-27T04:12:00.000Z'),
        reasons: fc.array(text, { maxLength: 2 }),
        detections: count,
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ now, before, over, state, ...rest }) => {
    const whole = { from: '2025-05-16', to: '2025-05-30', days: 15 };
    const figuresOf = ({ origins: _, ...headline }: typeof now, period: ComparedFigures['period']) => ({
      ...headline,
      period,
    });
    const isComplete = state === 'complete';
    const days = { from: '2025-05-16', to: '2025-05-26', days: 11 };
    return {
      ...now,
      ...rest,
      period: { ...whole, complete: isComplete, until: isComplete ? whole.to : '2025-05-27' },
      compared: state === 'first day' ? null : isComplete ? figuresOf(now, whole) : figuresOf(over, days),
      previous: figuresOf(before, { from: '2025-05-01', to: '2025-05-15', days: 15 }),
      generation: 7,
      computedAt: '2025-06-01T00:03:11.000Z',
    };
  });
