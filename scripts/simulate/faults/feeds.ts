/** Bodies of uploads, each with what it means: written for the product in one of its formats, and for the model plainly. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Random } from '../../../bench/support/random.ts';
import { DAY_SECONDS, dateOf, dayOfSeconds, instantOf } from './model/calendar.ts';
import type { PlainBody, PlainDetection, PlainLink } from './model/detections.ts';
import { CHANNEL_NAMES, INDUSTRY_NAMES } from './model/record.ts';
import { LABEL_NAMES } from './model/risk.ts';
import type { Habits } from './plan.ts';
import { BAD_NUMBERS, pickNumber, spelled, UNASSIGNED_NUMBERS } from './universe.ts';

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
  const source = random.chance(0.6) ? pick(random, sources) : undefined;
  const badShare = random.chance(badChance) ? random.next() * 0.5 : random.chance(0.3) ? 0.1 : 0;
  const isDated = random.chance(0.85);
  const lines: Line[] = [];
  for (let i = 0; i < count; i++) {
    const known = lines.at(-1);
    const named = source === undefined ? pick(random, sources) : source;
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
  const label = pick(random, LABEL_NAMES);
  fields.label = label;
  const channel = random.chance(0.8) ? pick(random, CHANNEL_NAMES) : null;
  if (channel !== null) fields.channel = channel;
  const industry = random.chance(0.5) ? pick(random, INDUSTRY_NAMES) : null;
  if (industry !== null) fields.industry = industry;
  const project = random.chance(0.4) ? pick(random, PROJECTS) : null;
  if (project !== null) fields.project = project;
  const url = random.chance(0.3) ? pick(random, LINKS) : null;
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
  const wrong = pick(random, fault === 'invalid' ? BAD_NUMBERS : UNASSIGNED_NUMBERS);
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

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.below(values.length)] as T;
}
