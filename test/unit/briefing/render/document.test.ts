import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { renderHtml } from '../../../../src/briefing/render/html.ts';
import { FORTNIGHT, SILENCE } from './fixture.ts';

const { html, contentSecurityPolicy } = renderHtml(FORTNIGHT);

test('the policy allows the one style of the page by its hash, and nothing else', () => {
  const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = '']) => style);
  const hash = createHash('sha256').update(styles.join('')).digest('base64');
  expect(styles).toHaveLength(1);
  expect(contentSecurityPolicy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src data:/);
  expect(contentSecurityPolicy).toContain(`'sha256-${hash}'`);
  expect(contentSecurityPolicy).not.toContain('unsafe');
  // In the document it would be ignored, with a warning.
  const inDocument = contentSecurityPolicy.replace("; frame-ancestors 'none'", '');
  expect(inDocument).not.toBe(contentSecurityPolicy);
  expect(html).toContain(`content="${inDocument.replaceAll("'", '&#39;')}"`);
});

test('the page needs nothing from elsewhere', () => {
  expect(html).not.toMatch(/<script|<iframe|<img|style="|@import|url\(|https?:/);
});

test('every picture has a title and a description, and a table with its figures in the same section', () => {
  const pictures = [...html.matchAll(/<svg [^>]*role="img" aria-labelledby="(\S+) (\S+)">/g)];
  expect(pictures).toHaveLength(5);
  for (const [, title = '', description = ''] of pictures) {
    expect(html).toMatch(new RegExp(`<title id="${title}">[^<]+</title><desc id="${description}">[^<]+</desc>`));
  }
  for (const section of html.match(/<section.*?<\/section>/gs) ?? []) {
    if (section.includes('<svg')) expect(section).toContain('<table>');
  }
});

test('ids are unique, and every label refers to one', () => {
  const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id = '']) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, labels = ''] of html.matchAll(/ aria-labelledby="([^"]*)"/g)) {
    for (const label of labels.split(' ')) expect(ids).toContain(label);
  }
});

test('elements are closed in the order they were opened', () => {
  for (const page of [html, renderHtml(SILENCE).html]) {
    const open: string[] = [];
    for (const [, slash, tag = ''] of page.matchAll(/<(\/?)(\w+)[^>]*>/g)) {
      if (['meta', 'link'].includes(tag)) continue;
      if (slash === '') open.push(tag);
      else expect(open.pop()).toBe(tag);
    }
    expect(open).toEqual([]);
  }
});

test('a period without detections has sentences in place of tables and pictures', () => {
  const { html: silent } = renderHtml(SILENCE);
  expect(silent.match(/<table>/g)).toHaveLength(1);
  expect(silent.match(/<svg /g)).toHaveLength(1);
  for (const sentence of ['No number was captured.', 'No project was named.', 'No source is in quarantine.']) {
    expect(silent).toContain(sentence);
  }
});

test('the same briefing is the same page', () => {
  expect(renderHtml(structuredClone(FORTNIGHT)).html).toBe(html);
});
