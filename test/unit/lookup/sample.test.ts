import { expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { Finder } from '../../../src/lookup/finder.ts';
import { sampleClear, sampleInventory } from '../../../src/lookup/sample.ts';
import { tick } from '../../../src/merge/tick.ts';
import { parseNumber } from '../../../src/phone/parse.ts';
import { someDetections } from '../../support/detections.ts';
import { newWorld, upload } from '../../support/world.ts';

const [TEMPLATE] = someDetections(1, 1);

function detectionsOf(numbers: readonly number[]): Detection[] {
  return numbers.map((number) => ({ ...(TEMPLATE as Detection), number }));
}

async function finderOver(...parts: readonly (readonly number[])[]) {
  const world = newWorld();
  for (const [i, numbers] of parts.entries()) {
    await upload(world, `b${i}`, detectionsOf(numbers));
    await tick(world);
  }
  world.storeLog.clear();
  const background: Promise<unknown>[] = [];
  const finder = new Finder({
    ...world,
    waitUntil: (work) => void background.push(work),
    sleep: () => new Promise((resolve) => setTimeout(resolve, 0)),
  });
  return { finder, world };
}

/** Spread evenly over 0 to 1; the same in every run. */
function evenly(): () => number {
  let value = 0;
  return () => {
    value = (value + Math.SQRT2) % 1;
    return value;
  };
}

/** Area codes of New York and Manila: a US range of 555-01xx, and a Philippine one of generated numbers. */
const US = Array.from({ length: 100 }, (_, i) => 12_125_550_100 + i);
const PH = Array.from({ length: 900 }, (_, i) => 639_171_000_000 + 37 * i);

test('numbers of the inventory: distinct, listed, and of each country by its share', async () => {
  const { finder, world } = await finderOver(PH, US);
  const numbers = await sampleInventory(finder, 400, evenly());
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.length).toBeGreaterThan(250);
  for (const number of numbers) expect(US.includes(number) || PH.includes(number)).toBe(true);
  const american = numbers.filter((number) => US.includes(number)).length;
  expect(american / numbers.length).toBeGreaterThan(0.02);
  expect(american / numbers.length).toBeLessThan(0.3);
  // A few columns, however many numbers.
  expect(
    world.storeLog.calls.filter((name) => name.startsWith('slice get') || name.includes('segments')).length,
  ).toBeLessThan(17);
});

test('clear numbers: valid, not listed, of the ranges of the listed ones', async () => {
  const { finder } = await finderOver(PH);
  const listed = await sampleInventory(finder, 50, evenly());
  const clear = await sampleClear(finder, listed, 200, evenly());
  expect(clear).toHaveLength(200);
  expect(new Set(clear).size).toBe(200);
  for (const number of clear) {
    expect(PH).not.toContain(number);
    expect(parseNumber(`+${number}`)).toMatchObject({ ok: true, value: { country: 'PH' } });
    expect(Math.floor(number / 10 ** 6)).toBe(639_171);
  }
});

test('an empty inventory has neither', async () => {
  const { finder } = await finderOver();
  expect(await sampleInventory(finder, 10, evenly())).toEqual([]);
  expect(await sampleClear(finder, [], 10, evenly())).toEqual([]);
});

test('a range without a number that is not listed gives fewer, and ends', async () => {
  const { finder } = await finderOver(US);
  expect(await sampleClear(finder, US, 10, () => 0.550_100_5)).toEqual([]);
  const clear = await sampleClear(finder, US.slice(0, 1), 1000, () => 0.0001);
  expect(clear.length).toBeLessThan(2);
});
