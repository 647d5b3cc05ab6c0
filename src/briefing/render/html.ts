/**
 * A briefing as one HTML document that needs nothing else: no script, no request, one style that the policy names by
 * its hash. The policy is in the document too, since the page is saved and forwarded.
 */
import { createHash } from 'node:crypto';
import type { Briefing } from '../briefing.ts';
import { type Drawing, picturesOf } from './charts/pictures.ts';
import { type Child, element, type Markup } from './charts/svg.ts';
import { composeReport } from './compose.ts';
import type { Line, Part } from './parts.ts';
import type { Column, Report, Section, Table } from './report.ts';
import { STYLE } from './style.ts';

export interface HtmlBriefing {
  readonly html: string;
  /** Value of the header under which the page is served: the page's own, and nobody may frame it. */
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
  // Browsers take this directive from the header only.
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
    // Without it, browsers ask the server for one.
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

/** The headline's table with each row as a large figure, its change beneath. */
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

/** @param compared cells of the headline's table after the figure itself: nothing, or [of days over,] before, change */
function against(compared: readonly Part[]): Child[] {
  const [change, before, over] = compared.toReversed();
  if (change === undefined || before === undefined) return ['not compared yet'];
  const days = over === undefined ? [] : [partMarkup(over), ' in the days over: '];
  const isChange = typeof change !== 'string' && change.kind === 'figure' && change.value !== null;
  return isChange
    ? [...days, partMarkup(change), ', ', element('span', { class: 'from' }, 'from ', partMarkup(before))]
    : [...days, partMarkup(before), ' before'];
}

/** In a region that scrolls of its own, and that the keyboard can reach, where the table is wider than the screen. */
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
      // Isolated, so that letters written from the right do not turn what follows.
      return element('bdi', { class: 'name' }, part.text);
    case 'time':
      return element('time', { datetime: part.iso }, part.text);
  }
}
