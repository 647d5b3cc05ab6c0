/**
 * What a briefing's text is made of, before it becomes Markdown or HTML. A figure keeps its exact value beside what is
 * printed, and what comes from outside is told from our own words, so that no writer can forget to escape or to mark it.
 */
import type { Period } from '../briefing.ts';
import { change, instant, integer, longDay, openingDay, percent, points, shortDay } from './format.ts';

export type Part = string | Figure | Name | Time;

export interface Figure {
  readonly kind: 'figure';
  /** Exactly as in the JSON, or computed from it; null: there is none. */
  readonly value: number | null;
  readonly text: string;
}

/** A text from outside: a project, a host, a source. */
export interface Name {
  readonly kind: 'name';
  readonly text: string;
}

export interface Time {
  readonly kind: 'time';
  /** ISO day or date-time. */
  readonly iso: string;
  readonly text: string;
}

export type Line = readonly Part[];

/** A sentence from a template. */
export function line(texts: TemplateStringsArray, ...parts: readonly (Part | Line)[]): Line {
  return texts
    .flatMap((text, i): Part[] => {
      const part = parts[i];
      if (part === undefined) return [text];
      return [text, ...(isLine(part) ? part : [part])];
    })
    .filter((part) => part !== '');
}

function isLine(part: Part | Line): part is Line {
  return Array.isArray(part);
}

export function count(value: number): Figure {
  return { kind: 'figure', value, text: integer(value) };
}

/** A number and what it counts, as `1 project` or `2 projects`. */
export function counted(value: number, one: string, many = `${one}s`): Line {
  return [count(value), ` ${value === 1 ? one : many}`];
}

export function share(value: number | null): Figure {
  return { kind: 'figure', value, text: value === null ? change(null) : percent(value) };
}

export function changeFigure(value: number | null): Figure {
  return { kind: 'figure', value, text: change(value) };
}

export function pointsFigure(value: number | null): Figure {
  return { kind: 'figure', value, text: points(value) };
}

/** Control and direction characters could hide or reorder what stands beside a name. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

export function name(text: string): Name {
  return { kind: 'name', text: text.replace(UNPRINTABLE, ' ').trim() };
}

export function day(iso: string): Time {
  return { kind: 'time', iso, text: longDay(iso) };
}

/** A day of the period: without its year, where the period has but one. */
export function dayOf({ from, to }: Period, iso: string): Time {
  const isOneYear = from.slice(0, 4) === to.slice(0, 4);
  return { kind: 'time', iso, text: isOneYear ? shortDay(iso) : longDay(iso) };
}

export function dateTime(iso: string): Time {
  return { kind: 'time', iso, text: instant(iso) };
}

/** `16–30 May 2025` */
export function periodLine({ from, to }: Period): Line {
  if (from === to) return [day(to)];
  const opening = openingDay(from, to);
  return [{ kind: 'time', iso: from, text: opening }, opening.includes(' ') ? ' – ' : '–', day(to)];
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(lines: readonly Line[]): Line {
  return lines.flatMap((parts, i): Line => {
    if (i === 0) return parts;
    return [i === lines.length - 1 ? ' and ' : ', ', ...parts];
  });
}
