/**
 * Bodies of uploads, each with what it means: written for the product in one of its formats, and for the model plainly.
 */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Random } from '../../support/random.ts';
import { DAY_SECONDS, dateOf, dayOfSeconds, instantOf } from './model/calendar.ts';
import { LABEL_NAMES, type PlainBody, type PlainDetection, type PlainLink } from './model/detections.ts';
import { CHANNEL_NAMES, INDUSTRY_NAMES } from './model/record.ts';
import type { Habits } from './plan.ts';

// The numbers of a simulation: few, so that they meet, and all of ranges that regulators keep for fiction.

export interface UniverseNumber {
  readonly number: number;
  readonly country: string;
  /** As dialled in its country. */
  readonly national: string;
  /** Whether its plan knows it for a fixed line. */
  readonly isFixed: boolean;
}

/** 555-0100 to 555-0199 of any area code: one ten-thousand-block each, one block of a hundred. */
const AREA_CODES = [202, 212, 213, 303, 305, 312, 404, 415, 512, 617];
const PER_AREA = 4;

export const UNIVERSE: readonly UniverseNumber[] = [
  ...AREA_CODES.flatMap((area) =>
    Array.from({ length: PER_AREA }, (_, i) => american(area, 5_550_100 + i * 7 + (area % 5))),
  ),
  // ACMA's: one ten-thousand-block over several thousands; those of the sandbox are others.
  ...[491_571_491, 491_571_804, 491_572_549, 491_573_770, 491_573_087, 491_575_254].map((rest) => ({
    number: 61_000_000_000 + rest,
    country: 'AU',
    national: `0${String(rest).slice(0, 3)} ${String(rest).slice(3, 6)} ${String(rest).slice(6)}`,
    isFixed: false,
  })),
  // Ofcom's for drama: fixed lines of London.
  ...[12, 13, 112, 345, 346, 901].map((rest) => ({
    number: 442_079_460_000 + rest,
    country: 'GB',
    national: `(020) 7946 0${String(rest).padStart(3, '0')}`,
    isFixed: true,
  })),
];

/** The most that one ten-thousand-block has: every segment has room for more. */
export const MOST_IN_BLOCK = 6;

/** Numbers that are none, with whether the reason is that their range is not assigned. */
const BAD_NUMBERS = ['+1202555', '+999123', 'n/a', '+1000555012', '+447000'];
const UNASSIGNED_NUMBERS = ['+10005550123', '+15555550123', '+447700900123'];

function american(area: number, rest: number): UniverseNumber {
  const text = String(rest);
  return {
    number: 10_000_000_000 + area * 10_000_000 + rest,
    country: 'US',
    national: `(${area}) ${text.slice(0, 3)}-${text.slice(3)}`,
    isFixed: false,
  };
}

export function pickNumber(random: Random): UniverseNumber {
  // Some numbers much more than others.
  const at = Math.floor(UNIVERSE.length * random.next() ** 1.5);
  return UNIVERSE[at] as UniverseNumber;
}

/** One of the ways people write it. */
export function spelled({ number, country, national }: UniverseNumber, random: Random) {
  const digits = String(number);
  const way = random.below(6);
  if (way === 0) return { number: national, country };
  if (way === 1) return { number: `tel:+${digits}` };
  if (way === 2) return { number: digits };
  if (way === 3) return { number: `+${digits.slice(0, 3)} ${digits.slice(3, 7)}-${digits.slice(7)}` };
  return { number: `+${digits}` };
}

/** Texts that must never be in a log: every number of the universe, with its country code or without. */
export function numberIn(text: string): string | null {
  for (const { number, national } of UNIVERSE) {
    const digits = String(number);
    if (text.includes(digits) || text.includes(national) || text.includes(digits.slice(-9))) return digits;
  }
  return null;
}

type Fields = Record<string, string | number>;

const PROJECTS = ['alpha', 'beta', 'é "quoted", with a comma'];
const LINKS = ['https://codes.example/a?token=1', 'https://codes.example/b', 'http://other.example/x'];
const COLUMNS = [
  'number',
  'country',
  'observedAt',
  'firstSeen',
  'sightings',
  'label',
  'channel',
  'industry',
  'project',
  'link',
  'source',
];

export interface Feed {
  readonly body: PlainBody;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

type BadMeaning = Omit<PlainBody['rejected'][number], 'line'>;

interface Line {
  readonly fields: Fields;
  readonly meaning: PlainDetection | BadMeaning;
}

/**
 * @param name of this body among all: it is in the body, so that no two are the same
 * @param nowMs since 1970
 */
export function feedOf(random: Random, name: string, nowMs: number, { sources, badChance }: Habits): Feed {
  const count = 1 + random.below(random.chance(0.15) ? 40 : 8);
  const source = random.chance(0.6) ? random.pick(sources) : undefined;
  const badShare = random.chance(badChance) ? random.next() * 0.5 : random.chance(0.3) ? 0.1 : 0;
  const isDated = random.chance(0.85);
  const lines: Line[] = [];
  for (let i = 0; i < count; i++) {
    const known = lines.at(-1);
    const named = source === undefined ? random.pick(sources) : source;
    if (random.chance(badShare)) lines.push(badLine(random, named));
    else if (known !== undefined && random.chance(0.1)) lines.push(known);
    else lines.push(goodLine(random, named, isDated, nowMs));
  }
  const { text, type } = written(random, lines, name);
  const plain = new TextEncoder().encode(text);
  const isPacked = random.chance(0.2);
  const bytes = isPacked ? new Uint8Array(gzipSync(plain)) : plain;
  const firstLine = type === 'text/csv' ? 2 : 1;
  const body: PlainBody = {
    sha256: createHash('sha256').update(plain).digest('hex'),
    detections: lines.flatMap(({ meaning }) => ('code' in meaning ? [] : [meaning])),
    rejected: lines.flatMap(({ meaning }, i) => ('code' in meaning ? [{ line: i + firstLine, ...meaning }] : [])),
    lines: lines.length,
  };
  return {
    body,
    bytes: new Uint8Array(bytes),
    headers: { 'content-type': type, ...(isPacked ? { 'content-encoding': 'gzip' } : undefined) },
  };
}

function goodLine(random: Random, source: string | null, isDated: boolean, nowMs: number): Line {
  const subject = pickNumber(random);
  const fields: Fields = { ...spelled(subject, random) };
  const nowSeconds = Math.floor(nowMs / 1000);
  let observedAt: number | null = null;
  if (isDated || random.chance(0.5)) {
    const ageDays = random.chance(0.6) ? random.next() * 2 : random.chance(0.9) ? random.next() * 50 : -0.8;
    observedAt = nowSeconds - Math.floor(ageDays * DAY_SECONDS);
    const form = random.below(3);
    if (form === 0) {
      observedAt = dayOfSeconds(observedAt) * DAY_SECONDS;
      fields.observedAt = dateOf(dayOfSeconds(observedAt));
    } else if (form === 1) fields.observedAt = instantOf(observedAt);
    // The same moment, as clocks two hours east of Greenwich show it.
    else fields.observedAt = instantOf(observedAt + 7200).replace('Z', '+02:00');
  }
  let firstSeenAt: number | null = null;
  let sightings = 1;
  if (observedAt !== null && random.chance(0.2)) {
    firstSeenAt = (dayOfSeconds(observedAt) - random.below(random.chance(0.5) ? 3 : 60)) * DAY_SECONDS;
    fields.firstSeen = dateOf(dayOfSeconds(firstSeenAt));
  }
  if (random.chance(0.25)) {
    sightings = 1 + random.below(9);
    fields.sightings = sightings;
  }
  const label = random.pick(LABEL_NAMES);
  fields.label = label;
  const channel = random.chance(0.8) ? random.pick(CHANNEL_NAMES) : null;
  if (channel !== null) fields.channel = channel;
  const industry = random.chance(0.5) ? random.pick(INDUSTRY_NAMES) : null;
  if (industry !== null) fields.industry = industry;
  const project = random.chance(0.4) ? random.pick(PROJECTS) : null;
  if (project !== null) fields.project = project;
  const url = random.chance(0.3) ? random.pick(LINKS) : null;
  if (url !== null) fields.link = url;
  if (source !== null) fields.source = source;
  const meaning: PlainDetection = {
    number: subject.number,
    isFixed: subject.isFixed,
    observedAt,
    firstSeenAt,
    sightings,
    label,
    channel: channel ?? 'other',
    industry,
    project,
    link: url === null ? null : linkOf(url),
    source,
  };
  return { fields, meaning };
}

function badLine(random: Random, source: string | null): Line {
  const { number } = spelled(pickNumber(random), random);
  const named = source === null ? {} : { source };
  const way = random.below(5);
  if (way === 0) return bad({ number, country: 'US', label: 'no_such_label', ...named }, 'unknown-label', source);
  if (way === 1)
    return bad({ number, country: 'US', label: 'reported_abuse', observedAt: 'x', ...named }, 'invalid-date', source);
  const fault = way < 4 ? 'invalid' : 'unassigned';
  const wrong = random.pick(fault === 'invalid' ? BAD_NUMBERS : UNASSIGNED_NUMBERS);
  return bad({ number: wrong, label: 'reported_abuse', ...named }, 'invalid-number', source, fault);
}

function bad(fields: Fields, code: string, source: string | null, fault: BadMeaning['fault'] = 'other'): Line {
  return { fields, meaning: { code, source, fault } };
}

function linkOf(url: string): PlainLink {
  const host = url.split('/')[2] ?? '';
  return { host, sha256: createHash('sha256').update(url).digest('hex') };
}

/** In one of the three formats, told apart from all others by a field that is nobody's. */
function written(random: Random, lines: readonly Line[], name: string): { text: string; type: string } {
  const way = random.below(3);
  const note = `note of ${name}`;
  if (way === 0) {
    const text = lines.map(({ fields }) => `${JSON.stringify({ ...fields, note })}\n`).join('');
    return { text, type: 'application/x-ndjson' };
  }
  if (way === 1) {
    return { text: `${JSON.stringify(lines.map(({ fields }) => ({ ...fields, note })))}`, type: 'application/json' };
  }
  const quoted = (value: string | number) =>
    /[",]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  const rows = lines.map(({ fields }) => [...COLUMNS.map((name) => quoted(fields[name] ?? '')), note].join(','));
  return { text: `${[[...COLUMNS, 'note'].join(','), ...rows].join('\n')}\n`, type: 'text/csv' };
}
