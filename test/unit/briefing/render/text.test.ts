import { expect, test } from 'vitest';
import {
  blockMask,
  change,
  counted,
  instant,
  integer,
  type Line,
  listed,
  longDay,
  name,
  originName,
  percent,
  periodLine,
  points,
  shortDay,
  spelled,
  titled,
} from '../../../../src/briefing/render/text.ts';

const plain = (parts: Line) => parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');

test('counts are grouped by thousands', () => {
  expect([0, 7, 1_000, 487_368, 20_870_000].map(integer)).toEqual(['0', '7', '1,000', '487,368', '20,870,000']);
});

test('shares have two decimals, rounded half away from zero in decimal', () => {
  expect(percent(487_368 / 996_141)).toBe('48.93 %');
  expect([0, 1, 0.00005, 0.000049, 0.10005, 12.5].map(percent)).toEqual([
    '0.00 %',
    '100.00 %',
    '0.01 %',
    '0.00 %',
    '10.01 %',
    '1,250.00 %',
  ]);
});

test('changes say their direction, and none where they round to nothing', () => {
  expect([0.1234, -0.03, 0, 0.00001, -0.00001, 12.345, null].map(change)).toEqual([
    '+12.34 %',
    '−3.00 %',
    '0.00 %',
    '0.00 %',
    '0.00 %',
    '+1,234.50 %',
    '–',
  ]);
  expect([0.0182, -0.0182, null].map(points)).toEqual(['+1.82 points', '−1.82 points', '–']);
});

test('days and periods', () => {
  expect([longDay('2025-05-06'), shortDay('2025-09-30')]).toEqual(['6 May 2025', '30 Sep']);
  expect(instant('2025-06-01T00:03:11.000Z')).toBe('1 June 2025, 00:03 UTC');
  const period = (from: string, to: string) => plain(periodLine({ from, to, days: 1 }));
  expect(period('2025-05-16', '2025-05-30')).toBe('16–30 May 2025');
  expect(period('2025-05-16', '2025-06-15')).toBe('16 May – 15 June 2025');
  expect(period('2024-12-16', '2025-01-15')).toBe('16 December 2024 – 15 January 2025');
  expect(period('2025-05-16', '2025-05-16')).toBe('16 May 2025');
});

test('names of origins, channels and industries', () => {
  expect(['US/Canada', 'HK', 'SG', 'XK', 'International'].map(originName)).toEqual([
    'US/Canada',
    'Hong Kong',
    'Singapore',
    'Kosovo',
    'International',
  ]);
  expect(['otp_marketplace', 'api_receiver', 'short_video'].map(spelled)).toEqual([
    'OTP marketplace',
    'API receiver',
    'short video',
  ]);
  expect(titled('social_media')).toBe('Social media');
});

test('a block is shown as its numbers are written, with its own three digits masked', () => {
  expect(blockMask('+12025550')).toBe('+1 202 555 0xxx');
  expect(blockMask('12025550')).toBe('+1 202 555 0xxx');
  expect(blockMask('+85250000')).toBe('+852 5000 0xxx');
  expect(blockMask('+46701740')).toBe('+46 70 174 0x xx');
  expect(blockMask('+120255501234'), 'too long for its plan').toBe('+1 20255501234xxx');
  expect(blockMask('+0'), 'unreadable').toBe('+0xxx');
});

test('lists and counted nouns', () => {
  expect([0, 1, 2].map((n) => plain(counted(n, 'project')))).toEqual(['0 projects', '1 project', '2 projects']);
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map((all) => plain(listed(all.map((one) => [one]))))).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

test('names lose characters that hide or turn text', () => {
  expect(name('a\u202eb\r\nc\u0000').text).toBe('a b c');
});
