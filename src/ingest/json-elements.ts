import { BodyError } from './errors.ts';
import { MAX_LINE_CHARS, MAX_NESTING } from './limits.ts';

/** One element of the outermost array, or one member of the outermost object, counted from 1. */
export type JsonElement =
  | { readonly index: number; readonly container: Container; readonly text: string }
  | { readonly index: number; readonly container: Container; readonly problem: string };

export type Container = 'array' | 'object';

export interface JsonElementsOptions {
  /** Also take an object and give its members, each as the text `"key": value`. */
  readonly members?: boolean;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** JSON's white space (RFC 8259, 2) is less than what `trim` takes away. */
const BLANK = /^[ \t\r\n]*$/;

/**
 * Cuts a JSON document that comes in pieces at the commas of its outermost level, holding one element at a time.
 * Exact: the document is valid JSON if and only if no call throws and every text given is (in braces, for a member).
 * Brackets are only counted, not paired; a text in which they do not pair is not JSON by itself. An element that is
 * too long or too deep is given as a problem, and what is in it goes unchecked.
 */
export class JsonElements {
  readonly #onElement: (element: JsonElement) => void;
  readonly #members: boolean;
  #container: Container | null = null;
  #ended = false;
  #index = 1;
  #pending = '';
  #overlong = false;
  #tooDeep = false;
  #depth = 0;
  #inString = false;
  #escaped = false;

  constructor(onElement: (element: JsonElement) => void, options: JsonElementsOptions = {}) {
    this.#onElement = onElement;
    this.#members = options.members ?? false;
  }

  /** @throws BodyError `invalid-body` as soon as the document cannot be an array (or object) any more */
  push(text: string): void {
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const char = text.charCodeAt(at);
      if (this.#inString) {
        this.#stringChar(char);
      } else if (this.#container === null || this.#ended) {
        if (!isBlank(char)) this.#outside(char);
        start = at + 1;
      } else if (char === QUOTE) {
        this.#inString = true;
      } else if (char === OPEN_BRACKET || char === OPEN_BRACE) {
        this.#depth += 1;
        if (this.#depth > MAX_NESTING) this.#tooDeep = true;
      } else if (char === CLOSE_BRACKET || char === CLOSE_BRACE) {
        this.#depth -= 1;
        if (this.#depth >= 0) continue;
        this.#close(char, text.slice(start, at));
        start = at + 1;
      } else if (char === COMMA && this.#depth === 0) {
        this.#emit(text.slice(start, at));
        start = at + 1;
      }
    }
    this.#hold(text.slice(start));
  }

  /** @throws BodyError `invalid-body` if the document is not finished */
  end(): void {
    if (this.#ended) return;
    const found = this.#container === null ? 'nothing' : `an end inside element ${this.#index}`;
    throw this.#invalid(found);
  }

  #stringChar(char: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === BACKSLASH) this.#escaped = true;
    else if (char === QUOTE) this.#inString = false;
  }

  #outside(char: number): void {
    if (this.#ended) throw this.#invalid('text after its end');
    if (char === OPEN_BRACKET) this.#container = 'array';
    else if (char === OPEN_BRACE && this.#members) this.#container = 'object';
    else if (char === OPEN_BRACE) throw this.#invalid('a single object');
    else throw this.#invalid('other text');
  }

  #close(char: number, text: string): void {
    const closes = char === CLOSE_BRACKET ? 'array' : 'object';
    if (closes !== this.#container) throw this.#invalid(`an unpaired bracket in element ${this.#index}`);
    const empty = this.#index === 1 && BLANK.test(this.#pending) && BLANK.test(text) && !this.#overlong;
    if (!empty) this.#emit(text);
    this.#ended = true;
  }

  #emit(text: string): void {
    this.#hold(text);
    const index = this.#index;
    const container = this.#container ?? 'array';
    const element = this.#pending;
    const problem = this.#overlong
      ? `expected at most ${MAX_LINE_CHARS} characters; found more`
      : this.#tooDeep
        ? `expected at most ${MAX_NESTING} levels of nesting; found more`
        : null;
    this.#index += 1;
    this.#pending = '';
    this.#overlong = false;
    this.#tooDeep = false;
    if (problem !== null) this.#onElement({ index, container, problem });
    else if (BLANK.test(element)) throw this.#invalid(`nothing in place of element ${index}`);
    else this.#onElement({ index, container, text: element });
  }

  #hold(text: string): void {
    if (this.#overlong || this.#pending.length + text.length > MAX_LINE_CHARS) {
      this.#overlong = true;
      this.#pending = '';
    } else {
      this.#pending += text;
    }
  }

  #invalid(found: string): BodyError {
    const expected = this.#members ? 'one JSON array or object' : 'one JSON array';
    return new BodyError('invalid-body', `expected ${expected}; found ${found}`);
  }
}

function isBlank(char: number): boolean {
  return char === SPACE || char === LF || char === CR || char === TAB;
}
