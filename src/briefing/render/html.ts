/**
 * A briefing as one HTML document that needs nothing else: it has no script, makes no request, and its content security
 * policy names its one style by hash. The policy is in the document too, since the page is saved and forwarded.
 */

import { createHash } from 'node:crypto';
import type { Briefing } from '../briefing.ts';
import { type Drawing, picturesOf } from './charts.ts';
import { composeReport } from './compose.ts';
import type { Column, Report, Section, Table } from './report.ts';
import { type Child, element, type Markup } from './svg.ts';
import type { Line, Part } from './text.ts';

interface HtmlBriefing {
  readonly html: string;
  /**
   * The Content-Security-Policy header for the page: the policy of the document, and that no other page may frame it.
   */
  readonly contentSecurityPolicy: string;
}

export function renderHtml(briefing: Briefing): HtmlBriefing {
  const report = composeReport(briefing);
  const hash = createHash('sha256').update(STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const document = element(
    'html',
    { lang: 'en' },
    head(report, policy),
    element('body', {}, element('main', {}, header(report), sections(report, briefing), footer(report))),
  );
  // Browsers obey this directive in the header only.
  const contentSecurityPolicy = `${policy}; frame-ancestors 'none'`;
  return { html: `<!doctype html>\n${document.markup}\n`, contentSecurityPolicy };
}

function head({ title }: Report, policy: string): Markup {
  const plain = title.map((part) => (typeof part === 'string' ? part : part.text)).join('');
  return element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: policy }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
    element('title', {}, `${plain} – Ringfence briefing`),
    // Without an icon of its own, the page would make browsers ask the server for one.
    element('link', { rel: 'icon', href: 'data:,' }),
    element('style', {}, { markup: STYLE }),
  );
}

function header({ title, lead }: Report): Markup {
  return element(
    'header',
    {},
    element('p', { class: 'kicker' }, 'Ringfence briefing'),
    element('h1', {}, lineMarkup(title)),
    element('p', { class: 'lead' }, lineMarkup(lead)),
  );
}

function footer({ definitions }: Report): Markup {
  return element('footer', {}, element('h2', {}, 'How to read the figures'), list(definitions));
}

function sections({ sections: all }: Report, briefing: Briefing): Markup[] {
  return all.map((section) =>
    element(
      'section',
      { id: section.id, 'aria-labelledby': `${section.id}-heading` },
      element('h2', { id: `${section.id}-heading` }, section.title),
      section.id === 'headline' ? tiles(section) : sectionContent(section, briefing),
    ),
  );
}

function sectionContent({ id, lines, tables, notes }: Section, briefing: Briefing): Child[] {
  const { wide, beside } = picturesOf(id, briefing);
  const filled = tables.filter(({ rows }) => rows.length > 0);
  const content = [beside === undefined ? [] : figure(beside), ...filled.map(tableMarkup)];
  return [
    id === 'changes' ? list(lines) : lines.map((parts) => element('p', {}, lineMarkup(parts))),
    wide === undefined ? [] : figure(wide),
    beside === undefined ? content : element('div', { class: 'beside' }, ...content),
    filled.length === 0 ? [] : notes.map((parts) => element('p', { class: 'note' }, lineMarkup(parts))),
  ];
}

function figure({ caption, drawing }: Drawing): Markup {
  return element('figure', {}, drawing, element('figcaption', {}, caption));
}

function list(lines: readonly Line[]): Markup {
  return element('ul', {}, ...lines.map((parts) => element('li', {}, lineMarkup(parts))));
}

/** The headline's table, each row as a large figure with its change beneath. */
function tiles({ tables }: Section): Markup {
  const rows = tables.flatMap((table) => table.rows);
  return element(
    'dl',
    { class: 'tiles' },
    ...rows.map(([title = '', now = '', ...compared]) =>
      element(
        'div',
        {},
        element('dt', {}, partMarkup(title)),
        element('dd', { class: 'now' }, partMarkup(now)),
        element('dd', { class: 'against' }, ...against(compared)),
      ),
    ),
  );
}

/** @param compared cells of the headline's table after the figure: none, or [days that are over,] before, change */
function against(compared: readonly Part[]): Child[] {
  const [change, before, over] = compared.toReversed();
  if (change === undefined || before === undefined) return ['not compared yet'];
  const days = over === undefined ? [] : [partMarkup(over), ' in the days over: '];
  const isChange = typeof change !== 'string' && change.kind === 'figure' && change.value !== null;
  return isChange
    ? [...days, partMarkup(change), ', ', element('span', { class: 'from' }, 'from ', partMarkup(before))]
    : [...days, partMarkup(before), ' before'];
}

/** A table that is wider than the screen scrolls by itself, in a region that the keyboard can reach. */
function tableMarkup({ caption, columns, rows }: Table): Markup {
  const table = element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...columns.map(headCell))),
    element(
      'tbody',
      {},
      ...rows.map((parts) => element('tr', {}, ...parts.map((part, i) => cell(part, i, columns[i])))),
    ),
  );
  return element('div', { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0 }, table);
}

function headCell({ title, numeric }: Column): Markup {
  return element('th', { scope: 'col', class: numeric ? 'numeric' : undefined }, title);
}

function cell(part: Part, i: number, column: Column | undefined): Markup {
  if (i === 0) return element('th', { scope: 'row' }, partMarkup(part));
  if (typeof part === 'string' || part.kind !== 'figure') return element('td', {}, partMarkup(part));
  const attributes = { class: column?.numeric === true ? 'numeric' : undefined, 'data-value': String(part.value) };
  return element('td', attributes, part.text);
}

function lineMarkup(parts: Line): Child[] {
  return parts.map(partMarkup);
}

function partMarkup(part: Part): Child {
  if (typeof part === 'string') return part;
  switch (part.kind) {
    case 'figure':
      return element('span', { class: 'figure', 'data-value': String(part.value) }, part.text);
    case 'name':
      // Isolated, so that a name written from right to left does not turn what follows.
      return element('bdi', { class: 'name' }, part.text);
    case 'time':
      return element('time', { datetime: part.iso }, part.text);
  }
}

/**
 * The page's style: a report, read on a screen of any width, in the light or the dark, or printed on A4.
 *
 * Two tones of one blue, told apart by lightness alone: colour-blind readers and grey printers see the same picture.
 * Captured is the light one, and has an outline since the light tone alone is weak on white.
 */
const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1a1f26; --quiet: #59626e; --rule: #d9dde2; --grid: #e9ecef;
  --dark: #1f5f99; --light: #c4dcf0; --edge: #5b8fbd; --land: #e6e8ea; --shore: #cdd2d7;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e9ed; --quiet: #a0a9b4; --rule: #353b43; --grid: #262b31;
    --dark: #6fb1ec; --light: #24425d; --edge: #5687b3; --land: #2a2f36; --shore: #3d444d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main { max-width: 1040px; margin: 0 auto; padding: 48px 32px 64px; }
h1 { font-size: 34px; line-height: 1.15; font-weight: 600; letter-spacing: -0.015em; margin: 4px 0 12px; text-wrap: balance; }
h2 { font-size: 20px; line-height: 1.3; font-weight: 600; margin: 0 0 12px; }
p { margin: 0 0 12px; max-width: 72ch; }
ul { margin: 0; padding-left: 18px; max-width: 76ch; }
li { margin: 0 0 6px; }
section, footer { border-top: 1px solid var(--rule); padding-top: 20px; margin-top: 36px; }
footer { color: var(--quiet); font-size: 14px; }
footer h2 { font-size: 15px; color: var(--ink); }
.kicker, .lead, .note, figcaption { color: var(--quiet); }
.kicker { font-size: 14px; margin: 0; }
.note, figcaption { font-size: 14px; }
.note { margin: 12px 0 0; }
.figure, .from, time { white-space: nowrap; }
.name { overflow-wrap: anywhere; }
#headline { border-top: 2px solid var(--ink); margin-top: 28px; }
#headline h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 24px; margin: 0; }
.tiles dt { font-size: 14px; color: var(--quiet); }
.tiles dd { margin: 0; }
.tiles .now { font-size: 32px; line-height: 1.25; font-weight: 600; letter-spacing: -0.02em; }
.tiles .against { font-size: 14px; color: var(--quiet); }
.beside { display: grid; grid-template-columns: minmax(0, 10fr) minmax(0, 11fr); gap: 40px; align-items: start; }
figure { margin: 0 0 20px; }
figcaption { margin-top: 6px; }
.scroll { overflow-x: auto; }
.scroll + .scroll { margin-top: 28px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.35; }
caption { text-align: left; font-weight: 600; padding-bottom: 6px; }
th, td { text-align: left; vertical-align: baseline; font-weight: 400; padding: 4px 0 4px 14px; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { padding-left: 0; }
thead th { color: var(--quiet); border-bottom-color: var(--rule); vertical-align: bottom; }
tbody th { min-width: 96px; }
.numeric { text-align: right; white-space: nowrap; }
.picture { display: block; width: 100%; height: auto; overflow: visible; font-size: 13px; }
.picture text { fill: var(--ink); dominant-baseline: central; }
.picture .name, .picture .tick.value { text-anchor: end; }
.picture .tick { fill: var(--quiet); font-size: 12px; }
.picture .tick.day, .picture .middle { text-anchor: middle; }
.picture .end { text-anchor: end; }
.picture .dark { fill: var(--dark); }
.picture .light { fill: var(--light); stroke: var(--edge); stroke-width: 1; }
.picture path.light { stroke: none; }
.picture .line { fill: none; stroke: var(--dark); stroke-width: 1.5; }
.picture path.dark { fill-opacity: 0.75; }
.picture .dot { fill: var(--paper); stroke: var(--dark); stroke-width: 1.25; }
.picture .axis { stroke: var(--quiet); }
.picture .grid { stroke: var(--grid); }
.picture .land { fill: var(--land); stroke: var(--shore); stroke-width: 0.5; }
.picture .origin { fill: var(--dark); fill-opacity: 0.6; stroke: var(--paper); stroke-width: 0.75; }
.picture .leader { stroke: var(--quiet); }
.picture .label { paint-order: stroke; stroke: var(--paper); stroke-width: 3; stroke-linejoin: round; }
.world-map { font-size: 14px; }
.world-map .label .figure { fill: var(--quiet); }
@media screen and (max-width: 720px) {
  main { padding: 28px 16px 40px; }
  h1 { font-size: 27px; }
  section, footer { margin-top: 28px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 18px 16px; }
  .tiles .now { font-size: 25px; }
  .beside { grid-template-columns: minmax(0, 1fr); gap: 8px; }
  table { font-size: 12.5px; }
  th, td { padding-left: 7px; }
  tbody th { min-width: 72px; }
  td time { white-space: normal; }
  .world-map .label, .world-map .leader { display: none; }
}
@page { size: A4; margin: 16mm 15mm 18mm; }
@media print {
  body { font-size: 10pt; line-height: 1.4; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 20pt; }
  h2 { font-size: 12.5pt; break-after: avoid; }
  section, footer { padding-top: 10pt; margin-top: 16pt; }
  .tiles { gap: 12pt; }
  .world-map { width: 84%; margin: 0 auto; }
  .tiles .now { font-size: 19pt; }
  .tiles dt, .tiles .against, .note, figcaption, .kicker, footer { font-size: 8.5pt; }
  .beside { gap: 18pt; }
  table { font-size: 8.5pt; }
  th, td { padding: 2pt 0 2pt 7pt; }
  tbody th { min-width: 60pt; }
  thead { display: table-header-group; }
  tr, li, p, figure, .tiles, .beside { break-inside: avoid; }
  caption, p { break-after: avoid; }
  .note { break-after: auto; break-before: avoid; }
  .scroll { overflow: visible; }
}
`;
