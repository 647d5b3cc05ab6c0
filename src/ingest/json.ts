/** NDJSON and JSON uploads. */
import type { LineError } from '../format/batch.ts';
import { repeatedName } from '../lib/json.ts';
import {
  BodyError,
  type BodyReader,
  isRawLine,
  kindOf,
  LINE_ENDS_LOST,
  type LineReceiver,
  MAX_LINE_CHARS,
  MAX_NESTING,
  malformed,
  type RawLine,
} from './body.ts';
import { LineSplitter } from './decode.ts';
import { isField } from './fields.ts';

/**
 * One JSON object a line. Blank lines are skipped; a line that is anything else is rejected by itself. A body whose
 * only line is several detections is no NDJSON: rejecting that line would look like the loss of one.
 */
export function ndjsonReader(receiver: LineReceiver, isRead: IsRead = isField): BodyReader {
  return new NdjsonBody(receiver, isRead);
}

/** Whether the value of this name is read; any other may be there twice. */
export type IsRead = (name: string) => boolean;

/** Where one object ends and the next one begins, in a line that is no JSON. */
const NEXT_OBJECT = /\}[\s\u0085]*\{/;

type ParsedLine =
  | { readonly raw: RawLine }
  /** What the line is instead of an object; `several`: several objects, which should be lines of their own. */
  | { readonly found: string; readonly several: boolean }
  | { readonly problem: string };

function parseLine(text: string, isRead: IsRead): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (NEXT_OBJECT.test(text)) return { found: `several on one line: ${LINE_ENDS_LOST}`, several: true };
    // The parser's own message quotes the text, and so perhaps the number.
    return { found: `${text.length} characters that are not JSON`, several: false };
  }
  if (isRawLine(value)) {
    const problem = repeatedField(text, value, isRead);
    return problem === null ? { raw: value } : { problem };
  }
  if (!Array.isArray(value)) return { found: kindOf(value), several: false };
  return { found: `${kindOf(value)}: its Content-Type is application/json`, several: true };
}

/** Why a line cannot be read that has a field twice, or null: which of the two is meant would be a guess. */
export function repeatedField(text: string, value: unknown, matters: IsRead, levels = 1): string | null {
  const name = repeatedName(text, value, { levels, matters });
  return name === null ? null : `expected each field once; found ${name} twice`;
}

function notAnObject(line: number, found: string): LineError {
  return malformed(line, `expected a JSON object; found ${found}`);
}

/** A line by itself, from whichever body. */
export function readNdjsonLine(text: string, line: number, receiver: LineReceiver, isRead: IsRead): void {
  if (text.trim() === '') return;
  const parsed = parseLine(text, isRead);
  if ('raw' in parsed) receiver.raw(parsed.raw, line);
  else if ('problem' in parsed) receiver.reject(malformed(line, parsed.problem));
  else receiver.reject(notAnObject(line, parsed.found));
}

class NdjsonBody implements BodyReader {
  readonly #receiver: LineReceiver;
  readonly #isRead: IsRead;
  readonly #lines: LineSplitter;
  /** Lines that are not blank. */
  #count = 0;
  /** The first of them, until another follows, if it seems to be several detections. */
  #held: { readonly line: number; readonly found: string } | null = null;

  constructor(receiver: LineReceiver, isRead: IsRead) {
    this.#receiver = receiver;
    this.#isRead = isRead;
    this.#lines = new LineSplitter({
      line: (text, line) => {
        if (text.trim() === '') return;
        this.#begin();
        this.#read(text, line);
      },
      overlong: (line) => {
        this.#begin();
        this.#several(line, `more than ${MAX_LINE_CHARS} characters on one line: ${LINE_ENDS_LOST}`);
      },
    });
  }

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
    if (this.#held !== null) {
      throw new BodyError('invalid-body', `expected one JSON object a line; found ${this.#held.found}`);
    }
  }

  #begin(): void {
    this.#count += 1;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#receiver.reject(notAnObject(held.line, held.found));
  }

  #read(text: string, line: number): void {
    const parsed = parseLine(text, this.#isRead);
    if ('raw' in parsed) this.#receiver.raw(parsed.raw, line);
    else if ('problem' in parsed) this.#receiver.reject(malformed(line, parsed.problem));
    else if (parsed.several) this.#several(line, parsed.found);
    else this.#receiver.reject(notAnObject(line, parsed.found));
  }

  #several(line: number, found: string): void {
    if (this.#count === 1) this.#held = { line, found };
    else this.#receiver.reject(notAnObject(line, found));
  }
}

/**
 * A JSON array of objects; an element that is not an object is rejected by itself. Unlike a bad line of NDJSON, text
 * that is not JSON makes the whole body invalid: where the next element starts would be a guess.
 */
export function jsonArrayReader(receiver: LineReceiver): BodyReader {
  return new JsonElements((element) => {
    if ('problem' in element) {
      receiver.reject(malformed(element.index, element.problem));
      return;
    }
    const value = parseElement(element.text, element.index);
    const problem = repeatedField(element.text, value, isField);
    if (problem !== null) receiver.reject(malformed(element.index, problem));
    else if (isRawLine(value)) receiver.raw(value, element.index);
    else receiver.reject(malformed(element.index, `expected an object; found ${kindOf(value)}`));
  });
}

function parseElement(text: string, index: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and so perhaps the number.
    throw new BodyError('invalid-body', `expected one JSON array; element ${index} is not JSON`);
  }
}

/** One element of the outermost array, or one member of the outermost object, counted from 1. */
export type JsonElement =
  | { readonly index: number; readonly container: Container; readonly text: string }
  | { readonly index: number; readonly container: Container; readonly problem: string };

type Container = 'array' | 'object';

interface JsonElementsOptions {
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
