/** Writes SVG and HTML as text. Everything is escaped here, and styled by class only, as the page's policy demands. */

/** Text that is markup already and is not escaped again. */
export interface Markup {
  readonly markup: string;
}

export type Child = string | Markup | readonly Child[];
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** HTML elements without content and end tag. */
const VOID = new Set(['meta', 'link', 'br']);

export function element(tag: string, attributes: Attributes = {}, ...children: readonly Child[]): Markup {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? rounded(value) : escapeText(value ?? '')}"`);
  const end = VOID.has(tag) ? '' : `${children.map(childText).join('')}</${tag}>`;
  return { markup: `<${tag}${list.join('')}>${end}` };
}

function childText(child: Child): string {
  if (typeof child === 'string') return escapeText(child);
  return 'markup' in child ? child.markup : child.map(childText).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

/** Rounded to a hundredth of a unit, which is finer than any screen shows. */
function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export interface Picture {
  /** Unique in the document. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What the picture shows, for people who cannot see it, and where the same figures are. */
  readonly description: string;
}

export function picture({ id, width, height, title, description }: Picture, ...children: readonly Child[]): Markup {
  const attributes = {
    class: `picture ${id}`,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-labelledby': `${id}-title ${id}-desc`,
  };
  return element(
    'svg',
    attributes,
    element('title', { id: `${id}-title` }, title),
    element('desc', { id: `${id}-desc` }, description),
    ...children,
  );
}
