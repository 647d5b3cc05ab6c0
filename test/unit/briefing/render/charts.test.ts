import { expect, test } from 'vitest';
import { barChart, picturesOf, trendChart } from '../../../../src/briefing/render/charts.ts';
import { count } from '../../../../src/briefing/render/text.ts';
import { FORTNIGHT } from './fixture.ts';

const about = { id: 'bars', title: 'Title', description: 'Description' };
const bars = (markup: string, className: string) =>
  [...markup.matchAll(new RegExp(`<rect class="${className}"[^>]* width="([\\d.]+)"`, 'g'))].map(([, w]) => Number(w));
const day = (captured: number, firstTime: number, i = 16) => ({ day: `2025-05-${i}`, captured, firstTime });

test('bars are as long as their figures, and their dark part as the part', () => {
  const { markup } = barChart(about, [
    { name: 'a', figure: count(200), part: 50 },
    { name: 'b', figure: count(100), part: 100 },
    { name: 'c', figure: count(0), part: 0 },
  ]);
  const [whole = 0, half, none] = bars(markup, 'light');
  expect([half, none]).toEqual([whole / 2, 0]);
  expect(bars(markup, 'dark')).toEqual([whole / 4, whole / 2, 0]);
});

test('few among many still have a bar, and zeroes alone have none', () => {
  const { markup } = barChart(about, [
    { name: 'a', figure: count(1_000_000) },
    { name: 'b', figure: count(1) },
  ]);
  expect(bars(markup, 'dark').at(-1)).toBe(1);
  expect(bars(barChart(about, [{ name: 'a', figure: count(0) }]).markup, 'dark')).toEqual([0]);
});

test('a name too long for the picture is cut; the table has all of it', () => {
  const { markup } = barChart(about, [{ name: 'St. Vincent & Grenadines', figure: count(1) }]);
  expect(markup).toContain('>St. Vincent &amp; Grena…<');
});

test('the lines of the trend rise and fall with the figures', () => {
  const { markup } = trendChart([day(100, 50), day(50, 0, 17), day(0, 0, 18)]);
  const heights = [...markup.matchAll(/class="dot" cx="[\d.]+" cy="([\d.]+)"/g)].map(([, y]) => Number(y));
  const [top = 0, middle = 0, bottom = 0, half, ground] = heights;
  expect(middle).toBe((top + bottom) / 2);
  expect([half, ground]).toEqual([middle, bottom]);
});

test('one day, and days of nothing, are drawn too', () => {
  for (const trend of [[day(5, 2)], [day(0, 0)], [day(1, 0), day(0, 0, 17)]]) {
    expect(trendChart(trend).markup).not.toMatch(/NaN|Infinity/);
  }
  expect(trendChart([day(5, 2)]).markup).toContain('16 May');
});

test('ticks count whole numbers only', () => {
  const ticks = [...trendChart([day(2, 1)]).markup.matchAll(/class="tick value"[^>]*>([^<]*)</g)].map(([, t]) => t);
  expect(ticks).toEqual(['0', '1', '2']);
});

test('the dark part of an origin’s bar is its first-time numbers, of its captured ones', () => {
  const markup = picturesOf('origins', FORTNIGHT).beside?.drawing.markup ?? '';
  const [light = 0] = bars(markup, 'light');
  const [dark = 0] = bars(markup, 'dark');
  const [{ captured, firstTime } = { captured: 0, firstTime: 0 }] = FORTNIGHT.origins;
  expect(dark / light).toBeCloseTo(firstTime / captured, 3);
});
