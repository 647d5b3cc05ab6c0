/** The published figures, at a two-hundredth of their size and, where counts alone are asked, in full. */
import { describe, expect, it } from 'vitest';
import { synthesisOptions } from '../../../../bench/synthesize/layout.ts';
import { INDUSTRIES } from '../../../../src/format/attributes.ts';
import { parseNumber } from '../../../../src/phone/parse.ts';
import { countBy, firstTime, fortnight, inventory, recaptured, SMALL } from './small.ts';

const FORTNIGHT_START = Date.UTC(2025, 4, 16) / 1000;
const FORTNIGHT_END = Date.UTC(2025, 4, 31) / 1000;

function countryOf(number: number): string {
  const parsed = parseNumber(`+${number}`);
  return (parsed.ok ? parsed.value.country : null) ?? 'none';
}

describe('counts', () => {
  it('are the published ones by default', () => {
    expect(synthesisOptions()).toEqual({ seed: 1, numbers: 20_870_000, captured: 996_141, firstTime: 487_368 });
  });

  it('are exact at a smaller size', () => {
    expect(SMALL).toEqual({ seed: 1, numbers: 104_350, captured: 4981, firstTime: 2437 });
    expect(inventory.length).toBe(104_350);
    expect(fortnight.length).toBe(4981);
    expect(recaptured.length).toBe(2544);
    expect(firstTime.length).toBe(2437);
  });

  it('name no number twice', () => {
    expect(new Set(inventory.map(({ number }) => number)).size).toBe(104_350);
    expect(new Set(fortnight.map(({ number }) => number)).size).toBe(4981);
  });

  it('of first-time numbers by channel are 85.55 % and 14.32 %', () => {
    const channels = countBy(firstTime, ({ channel }) => channel);
    expect(channels.get('otp_marketplace')).toBe(Math.round(2437 * 0.8555));
    expect(channels.get('api_receiver')).toBe(Math.round(2437 * 0.1432));
    expect([...channels.values()].reduce((sum, n) => sum + n, 0)).toBe(2437);
  });
});

describe('origins', () => {
  it('of captured numbers come in the published order', () => {
    const origins = countBy(fortnight, ({ number }) => countryOf(number).replace(/^(US|CA)$/, 'US/Canada'));
    const order = [...origins].sort((a, b) => b[1] - a[1]).map(([origin]) => origin);
    expect(order.slice(0, 5)).toEqual(['US/Canada', 'PH', 'HK', 'ID', 'VN']);
    expect(origins.get(order[5] ?? '') ?? 0).toBeLessThan((origins.get('VN') ?? 0) * 0.7);
  });

  it('of the inventory are more than 200 countries', () => {
    const origins = countBy(inventory, ({ number }) => countryOf(number));
    expect(origins.has('none')).toBe(false);
    expect(origins.size).toBe(237);
  });
});

describe('industries', () => {
  it('of captured numbers come in the published order', () => {
    const industries = countBy(fortnight, ({ industry }) => industry);
    const order = [...industries].sort((a, b) => b[1] - a[1]).map(([industry]) => industry);
    expect(order.slice(0, 4)).toEqual(INDUSTRIES.slice(0, 4));
    expect(order.length).toBe(INDUSTRIES.length);
  });
});

describe('times', () => {
  it('of the inventory lie before the fortnight, and grow in number', () => {
    for (const { firstSeenAt, observedAt } of inventory) {
      expect(firstSeenAt <= observedAt && observedAt < FORTNIGHT_START).toBe(true);
    }
    const years = countBy(inventory, ({ firstSeenAt }) => new Date(firstSeenAt * 1000).getUTCFullYear());
    expect([...years.keys()].sort()).toEqual([2022, 2023, 2024, 2025]);
    expect(years.get(2024) ?? 0).toBeGreaterThan((years.get(2023) ?? 0) * 1.2);
    expect(years.get(2023) ?? 0).toBeGreaterThan((years.get(2022) ?? 0) * 1.2);
  });

  it('of the fortnight are in order, within it, and on each of its days', () => {
    const times = fortnight.map(({ observedAt }) => observedAt);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.every((time) => time >= FORTNIGHT_START && time < FORTNIGHT_END)).toBe(true);
    expect(new Set(times.map((time) => Math.floor(time / 86_400))).size).toBe(15);
  });

  it('favour numbers that were seen not long ago', () => {
    const again = new Set(recaptured.map(({ number }) => number));
    const meanDay = (wanted: boolean): number => {
      const days = inventory.filter(({ number }) => again.has(number) === wanted).map((row) => row.observedAt / 86_400);
      return days.reduce((sum, day) => sum + day, 0) / days.length;
    };
    expect(meanDay(true)).toBeGreaterThan(meanDay(false) + 60);
  });
});

describe('attributes', () => {
  it('give each number of an API receiver one project and one link', () => {
    const links = fortnight.filter(({ link }) => link !== null);
    expect(new Set(links.map(({ link }) => link)).size).toBe(links.length);
    for (const { channel, project, link } of fortnight) {
      expect([project !== null, link !== null]).toEqual([channel === 'api_receiver', channel === 'api_receiver']);
    }
    expect(inventory.every(({ link }) => link === null)).toBe(true);
  });

  it('are few, and mostly cards of modem pools', () => {
    const all = countBy(inventory, ({ label, channel, industry, project, source }) =>
      [label, channel, industry, project, source].join(),
    );
    expect(all.size).toBeLessThan(4000);
    const labels = countBy(inventory, ({ label }) => label);
    expect(labels.get('modem_pool_card') ?? 0).toBeGreaterThan(0.9 * inventory.length);
    expect([...labels.keys()].sort()).toEqual(['modem_pool_card', 'public_sms_receiver', 'reported_abuse']);
  });
});
