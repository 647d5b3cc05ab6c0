import { expect, it } from 'vitest';
import { LinkSet } from '../../../src/briefing/projects-and-links.ts';
import { random } from './worlds.ts';

it('holds each link once, as a set of texts does, however it grows', () => {
  const next = random(1);
  const below = (n: number) => Math.floor(next() * n);
  const links = new LinkSet();
  const texts = new Set<string>();
  let mistakes = 0;
  for (let i = 0; i < 30_000; i++) {
    // Few values of each part, so that many share two of the three; hosts so far apart that their slots are the same.
    const [host, high, low] = [below(3) * 2 ** 20, below(3), Math.imul(below(3000), 0x9e3779b1) >>> 0];
    const text = `${host} ${high} ${low}`;
    if (links.add(host, high, low) === texts.has(text)) mistakes += 1;
    texts.add(text);
  }
  expect(mistakes).toBe(0);
  expect(texts.size).toBeGreaterThan(10_000);
  expect(links.size).toBe(texts.size);
});
