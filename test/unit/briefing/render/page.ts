/** What a reader of the page finds in it: figures with their values, and the text around them. */
import type { Briefing } from '../../../../src/briefing/briefing.ts';
import { renderHtml } from '../../../../src/briefing/render/html.ts';

export interface Printed {
  /** As in the attribute: JSON of a number or null. */
  readonly value: string;
  readonly text: string;
}

const FIGURE = /<(\w+)(?=[^>]* data-value="([^"]*)")[^>]*>(.*?)<\/\1>/gs;

export function figuresIn(html: string): Printed[] {
  return [...html.matchAll(FIGURE)].map(([, tag, value = '', content = '']) => {
    const text = textOf(content);
    // A circle names its origin, then says the figure.
    return { value, text: tag === 'circle' ? text.replace(/^.*: /s, '') : text };
  });
}

/** The markup of each section, by its id. */
export function sectionsOf(briefing: Briefing): ReadonlyMap<string, string> {
  const { html } = renderHtml(briefing);
  return new Map([...html.matchAll(/<section id="(\w+)".*?<\/section>/gs)].map(([markup, id = '']) => [id, markup]));
}

/** The text of the body without figures, times, names from outside and the scale of a chart. */
export function wordsIn(html: string): string {
  const body = /<body>.*<\/body>/s.exec(html)?.[0] ?? '';
  const ticks = /<text class="tick[^>]*>.*?<\/text>/gs;
  return textOf(
    body
      .replaceAll(FIGURE, ' ')
      .replaceAll(/<(time|bdi)\b.*?<\/\1>/gs, ' ')
      .replaceAll(ticks, ' '),
  );
}

/** Text as it is read. */
export function textOf(markup: string): string {
  return markup
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
