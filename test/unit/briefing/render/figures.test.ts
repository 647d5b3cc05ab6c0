import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Briefing } from '../../../../src/briefing/briefing.ts';
import { renderHtml } from '../../../../src/briefing/render/html.ts';
import { renderMarkdown } from '../../../../src/briefing/render/markdown.ts';
import { change, integer, percent, points } from '../../../../src/briefing/render/text.ts';
import { expectedValues } from './expected.ts';
import { FORTNIGHT, SILENCE } from './fixture.ts';
import { figuresIn, sectionsOf, wordsIn } from './page.ts';
import { anyBriefing } from './random-briefing.ts';

const RUNS = 80;
/** Labels of the map: each is left out where it has no room, so they are looked at apart. */
const MAP_LABELS = /<text class="label (start|middle|end)".*?<\/text>/gs;

/** Every section prints the values of the JSON, as often as it should, and each as it is to be formatted. */
function expectPageToEqualJson(briefing: Briefing): void {
  const sections = sectionsOf(briefing);
  for (const [id, values] of Object.entries(expectedValues(briefing))) {
    const printed = figuresIn(sections.get(id)?.replaceAll(MAP_LABELS, '') ?? '').map(({ value }) => value);
    expect(printed.sort(), id).toEqual(values.map((value) => JSON.stringify(value)).sort());
  }
  const { html } = renderHtml(briefing);
  const labels = figuresIn((html.match(MAP_LABELS) ?? []).join('')).map(({ value }) => Number(value));
  const onMap = briefing.origins.filter(({ group }) => group !== 'International').slice(0, 6);
  expect(onMap.map(({ captured }) => captured)).toEqual(expect.arrayContaining(labels));
  for (const { value, text } of figuresIn(html)) expect(spellings(value), `${value} as ${text}`).toContain(text);
  expect(wordsIn(html)).not.toMatch(/\d|NaN|Infinity|undefined|null/);
}

/** What a value may be printed as. */
function spellings(json: string): string[] {
  const value = JSON.parse(json) as number | null;
  if (value === null) return ['–'];
  const fractions = [percent(value), change(value), points(value)];
  return Number.isInteger(value) ? [integer(value), ...fractions] : fractions;
}

describe('figures', () => {
  it('are those of the JSON in every section of the fortnight', () => {
    expectPageToEqualJson(FORTNIGHT);
  });

  it('are those of the JSON when nothing happened', () => {
    expectPageToEqualJson(SILENCE);
  });

  it('are those of the JSON in any briefing, and no other digit is in the words', () => {
    fc.assert(fc.property(anyBriefing, expectPageToEqualJson), { numRuns: RUNS, endOnFailure: true });
  });

  it('in the words on what changed were each computed from the JSON', () => {
    const { captured, firstTime, firstTimeShare, inventory, previous, origins, projects, quarantined } = FORTNIGHT;
    const values = figuresIn(sectionsOf(FORTNIGHT).get('changes') ?? '').map(({ value }) => Number(value));
    const of = (group: string) => origins.find((origin) => origin.group === group)?.change;
    expect(values).toEqual([
      ...[previous.captured, captured, (captured - previous.captured) / previous.captured],
      ...[previous.firstTime, firstTime, (firstTime - previous.firstTime) / previous.firstTime],
      ...[previous.firstTimeShare, firstTimeShare, firstTimeShare - previous.firstTimeShare],
      ...[previous.inventory, inventory, (inventory - previous.inventory) / previous.inventory],
      ...[249_035, 249_035 / 996_141, 14, of('VN'), of('IN')],
      ...[371_000 / 424_003, 416_943 / 487_368, 416_943 / 487_368 - 371_000 / 424_003],
      ...[0, 97_340 / 996_141, 97_340 / 996_141],
      ...[projects.newCount, 8_321, 61_022, 120_403, 59_381 / 61_022],
      ...[quarantined.length, 40_871 + 306],
    ]);
  });

  it('of the published fortnight are rounded, not cut', () => {
    const headline = figuresIn(sectionsOf(FORTNIGHT).get('headline') ?? '').map(({ text }) => text);
    expect(headline).toEqual(
      expect.arrayContaining(['996,141', '487,368', '48.93 %', '20,870,000', '+10.68 %', '+1.82 points']),
    );
  });

  it('in Markdown are those of the page', () => {
    const { html } = renderHtml(FORTNIGHT);
    const onPage = new Set(figuresIn(html).map(({ text }) => text));
    const dates = /\d+(–\d+)? (May|June)( \d{4})?(, \d\d:\d\d UTC)?/g;
    const blocks = /^\| \+.*?\|/gm;
    const words = renderMarkdown(FORTNIGHT).replaceAll(dates, '').replaceAll(blocks, '');
    const printed: string[] = words.match(/[+−]?\d[\d,]*(\.\d+)?( %| points)?/g) ?? [];
    expect(printed.length).toBeGreaterThan(200);
    for (const text of printed) expect(onPage).toContain(text);
    const inTables = [...html.matchAll(/<td [^>]*data-value[^>]*>([^<]*)</g)].map(([, text]) => text);
    for (const text of inTables) if (text !== '–') expect(new Set<string | undefined>(printed)).toContain(text);
  });
});
