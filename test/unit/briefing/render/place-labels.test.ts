import { expect, test } from 'vitest';
import { placeLabels } from '../../../../src/briefing/render/world-map.ts';

const circle = (x: number, y: number, r = 10) => ({ x, y, r });

test('a label stands to the right of its circle, where there is room', () => {
  expect(placeLabels([circle(50, 50)], ['Hong Kong 1'], 400, 100)).toEqual([
    { x: 65, y: 50, anchor: 'start', leader: null },
  ]);
});

test('at the right edge it stands to the left', () => {
  expect(placeLabels([circle(390, 50)], ['Fiji 1'], 400, 100)).toMatchObject([{ anchor: 'end' }]);
});

test('it avoids large circles and other labels, and is left out where nothing is free', () => {
  const [beside] = placeLabels([circle(50, 50), circle(80, 50)], ['aaaa'], 400, 100);
  expect(beside?.x).not.toBe(65);
  // Too small to be in each other's way, so that only the first label is.
  const [first, second] = placeLabels([circle(50, 50, 2), circle(50, 51, 2)], ['aaaa', 'bbbb'], 400, 100);
  expect(first).toMatchObject({ y: 50, anchor: 'start' });
  expect(second?.anchor === 'start' && Math.abs(second.y - 50) < 18).toBe(false);
  expect(placeLabels([circle(50, 50)], ['a text too long for the picture'], 100, 100)).toEqual([null]);
});

test('a label that stands off is tied to its circle by a line', () => {
  const ring = Array.from({ length: 4 }, (_, i) => {
    const turn = (i / 4) * 2 * Math.PI;
    return circle(200 + 24 * Math.cos(turn), 200 + 24 * Math.sin(turn), 9);
  });
  const [spot] = placeLabels([circle(200, 200), ...ring], ['x'], 400, 400);
  expect(spot?.leader).not.toBeNull();
  expect(Math.hypot((spot?.leader?.x ?? 0) - 200, (spot?.leader?.y ?? 0) - 200)).toBeCloseTo(10);
});

test('and that line crosses no other circle, or there is no label', () => {
  // Large ones around it without a gap: free spots lie beyond them only.
  const ring = Array.from({ length: 12 }, (_, i) => {
    const turn = (i / 12) * 2 * Math.PI;
    return circle(200 + 24 * Math.cos(turn), 200 + 24 * Math.sin(turn), 9);
  });
  expect(placeLabels([circle(200, 200), ...ring], ['x'], 400, 400)).toEqual([null]);
});
