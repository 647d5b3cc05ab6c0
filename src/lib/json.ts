/**
 * Names that a JSON object has twice. `JSON.parse` takes the last of them and does not tell; other parsers take the
 * first, so that two readers of one text would see two numbers in it (RFC 8259, 4).
 */

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export interface RepeatedNameOptions {
  /** Levels of objects and arrays that are looked at, from the outermost. Default: all. */
  readonly levels?: number;
  /** Names for which it matters. Default: all. */
  readonly matters?: (name: string) => boolean;
}

/**
 * The first name that an object in the text has again; null if there is none. It is the sender's text.
 * @param text valid JSON
 * @param value what `JSON.parse` made of it
 */
export function repeatedName(
  text: string,
  value: unknown,
  { levels = Number.POSITIVE_INFINITY, matters = () => true }: RepeatedNameOptions = {},
): string | null {
  // Nearly every text: one object, with as many names as the value has.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (nameEnds(text) === Object.keys(value).length) return null;
  }
  return firstRepeated(text, levels, matters);
}

/** How often a quote and a colon follow each other: at least once for each name, at any level. */
function nameEnds(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    let before = at - 1;
    while (isBlank(text.charCodeAt(before))) before -= 1;
    if (text.charCodeAt(before) === QUOTE) count += 1;
  }
  return count;
}

function firstRepeated(text: string, levels: number, matters: (name: string) => boolean): string | null {
  /** Names so far of the objects that are open; null: an array, or too deep. */
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === OPEN_BRACE) {
      open.push(open.length < levels ? new Set() : null);
    } else if (char === OPEN_BRACKET) {
      open.push(null);
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      open.pop();
    } else if (char === QUOTE) {
      const end = endOfString(text, at);
      const names = open.at(-1) ?? null;
      if (names !== null && isName(text, end)) {
        const name = nameOf(text.slice(at, end));
        if (names.has(name) && matters(name)) return name;
        names.add(name);
      }
      at = end - 1;
    }
  }
  return null;
}

/** Behind the quote that closes the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function isName(text: string, end: number): boolean {
  let at = end;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return text.charCodeAt(at) === COLON;
}

/** Escaped letters are the letters: `num\u0062er` is `number` too. */
function nameOf(quoted: string): string {
  return quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

function isBlank(char: number): boolean {
  return char === SPACE || char === LF || char === CR || char === TAB;
}
