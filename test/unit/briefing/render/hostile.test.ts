import { describe, expect, it } from 'vitest';
import type { Briefing } from '../../../../src/briefing/briefing.ts';
import { renderHtml } from '../../../../src/briefing/render/html.ts';
import { renderMarkdown } from '../../../../src/briefing/render/markdown.ts';
import { name } from '../../../../src/briefing/render/text.ts';
import { FORTNIGHT } from './fixture.ts';
import { textOf } from './page.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '</style><style>*{display:none}</style>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  ']]><!-- </title> -->',
  'a | b\r\n| --- |\n# c',
  '`code` **bold** _it_ ~~gone~~',
  '[click](javascript:alert(1)) ![x](//tracker.example/x)',
  'https://evil.example/path',
  'www.evil.example',
  'me@evil.example',
  '&lt;b&gt; &amp; $x^2$',
  'back\\|slash\\',
  '\u202egnp.exe\u0000\u2028',
];
const TAGS =
  'html head meta title link style body main header p h1 h2 span time section dl div dt dd ul li bdi svg desc path circle line text tspan rect figure figcaption table caption thead tbody tr th td footer'.split(
    ' ',
  );

const briefing = withNames(HOSTILE);
const { html } = renderHtml(briefing);
const markdown = renderMarkdown(briefing);

/** The fortnight with a project, a host, a source and a reason for each name. */
function withNames(names: readonly string[]): Briefing {
  const figures = { captured: 500, compared: 500, previous: 200, change: 1.5, firstDay: '2025-05-16', industry: null };
  const projects = names.map((project) => ({ project, ...figures }));
  return {
    ...FORTNIGHT,
    projects: { count: 99, new: projects, newCount: projects.length, growing: projects },
    links: { ...FORTNIGHT.links, hosts: names.map((host) => ({ host, links: 1, numbers: 1, projects: 1 })) },
    quarantined: names.map((source) => ({
      source,
      since: '2025-05-27T04:12:00.000Z',
      reasons: ['sudden-jump', '<b>|'],
      detections: 1,
    })),
  };
}

describe('hostile names', () => {
  it('add no element, no attribute and no comment to the page', () => {
    const tags = [...html.matchAll(/<\/?([^\s>/]*)/g)].map(([, tag = '']) => tag);
    expect([...new Set(tags)].filter((tag) => !TAGS.includes(tag))).toEqual(['!doctype']);
    expect(html.match(/<style>/g)).toHaveLength(1);
    const attributes = [...html.matchAll(/<\w+((?: [^<>]*)?)>/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/ ([^\s=]+)="[^"<>]*"/g)].map(([, attribute = '']) => attribute),
    );
    expect(attributes.filter((attribute) => /^(on|src|style$)/.test(attribute))).toEqual([]);
    expect([...html.matchAll(/ href="([^"]*)"/g)].map(([, href]) => href)).toEqual(['data:,']);
  });

  it('are on the page as they were written', () => {
    const shown = [...html.matchAll(/<bdi class="name">(.*?)<\/bdi>/gs)].map(([, text = '']) => textOf(text));
    for (const hostile of HOSTILE)
      expect(shown.filter((text) => text === name(hostile).text)).toHaveLength(shownTimes(hostile));
    expect(shown).toContain('sudden jump; <b>|');
    for (const unprintable of ['\u202e', '\u2028', '\u0000']) expect(html).not.toContain(unprintable);
  });

  it('keep every row of a Markdown table a row of as many cells', () => {
    const rows = markdown.split('\n').filter((text) => text.startsWith('|'));
    const cells = (row: string) => row.replaceAll(/\\\\/g, '').replaceAll(/\\\|/g, '').split('|').length;
    const hosts = rows.slice(rows.indexOf('| Host | Links | Numbers | Projects |'));
    expect(hosts.slice(0, HOSTILE.length + 2).map(cells)).toEqual(Array(HOSTILE.length + 2).fill(6));
    expect(markdown.split('\n').filter((text) => text.startsWith('#'))).toHaveLength(14);
  });

  it('are in Markdown as they were written, with nothing that is markup', () => {
    for (const hostile of HOSTILE) {
      const row = markdown
        .split('\n')
        .find((text) =>
          text.replaceAll(/\\([^A-Za-z0-9\s])/g, '$1').startsWith(`| ${name(hostile).text} | – | 16 May`),
        );
      expect(row, hostile).toBeDefined();
    }
    // Outside a table's own pipes, each of these has an odd number of backslashes before it.
    const unescaped = markdown.replaceAll(/\\[^A-Za-z0-9\s]/g, '');
    expect(unescaped).not.toMatch(/[`*_[\]<>~&$@]|www\.|:\/\/|\]\(/);
  });
});

/** Two tables of projects, one of hosts, a source; the first is in two sentences as well. */
function shownTimes(hostile: string): number {
  return hostile === HOSTILE[0] ? 6 : 4;
}
