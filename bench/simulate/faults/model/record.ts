/** What the model makes of the detections of a number: plain folds over plain rows. */
import { dateOf, dayOfSeconds, instantOf } from './calendar.ts';
import type { PlainRow } from './detections.ts';
import type { Generation } from './generation.ts';
import type { Model } from './model.ts';

export interface PlainEvidence {
  readonly label: string;
  readonly channel: string;
  readonly industry: string | null;
  readonly project: string | null;
  readonly link: { readonly host: string; readonly sha256: string } | null;
  readonly source: string | null;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly sightings: number;
}

interface PlainRecord {
  readonly labels: readonly string[];
  readonly channels: readonly string[];
  readonly industries: readonly string[];
  readonly firstDay: number;
  readonly lastDay: number;
  readonly sightings: number;
  readonly evidence: readonly PlainEvidence[];
}

/** In the order of docs/FORMAT.md. */
export const CHANNEL_NAMES = [
  'otp_marketplace',
  'api_receiver',
  'public_receiver',
  'number_trading',
  'access_tool',
  'other',
];
export const INDUSTRY_NAMES = [
  'social_media',
  'communications',
  'short_video',
  'internet_services',
  'ecommerce',
  'finance',
  'gaming',
  'travel',
  'other',
];

/** Null: nothing is known of the number. */
export function recordOf(rows: readonly PlainRow[]): PlainRecord | null {
  if (rows.length === 0) return null;
  const ofAll = <T>(value: (row: PlainRow) => T) => [...new Set(rows.map(value))];
  return {
    labels: ofAll(({ label }) => label).sort(),
    channels: CHANNEL_NAMES.filter((name) => rows.some(({ channel }) => channel === name)),
    industries: INDUSTRY_NAMES.filter((name) => rows.some(({ industry }) => industry === name)),
    firstDay: Math.min(...rows.map(({ firstSeenAt }) => dayOfSeconds(firstSeenAt))),
    lastDay: Math.max(...rows.map(({ observedAt }) => dayOfSeconds(observedAt))),
    sightings: rows.reduce((sum, { sightings }) => sum + sightings, 0),
    evidence: evidenceOf(rows),
  };
}

/**
 * What had been observed by the end of a day. Detections of the same attributes, first day and last day are one entry
 * of evidence; of one that went on after the day, that is its first day, as one sighting.
 */
export function rowsUntil(rows: readonly PlainRow[], day: number): PlainRow[] {
  const whole = rows.filter(({ observedAt }) => dayOfSeconds(observedAt) <= day);
  const begun = rows.filter(
    ({ firstSeenAt, observedAt }) => dayOfSeconds(firstSeenAt) <= day && dayOfSeconds(observedAt) > day,
  );
  const entries = new Map<string, PlainRow>();
  for (const row of begun) {
    const key = `${attributesOf(row)} ${dayOfSeconds(row.firstSeenAt)} ${dayOfSeconds(row.observedAt)}`;
    const firstSeenAt = Math.min(row.firstSeenAt, entries.get(key)?.firstSeenAt ?? row.firstSeenAt);
    entries.set(key, { ...row, firstSeenAt, observedAt: firstSeenAt, sightings: 1 });
  }
  return [...whole, ...entries.values()];
}

function evidenceOf(rows: readonly PlainRow[]): PlainEvidence[] {
  const lines = new Map<string, PlainRow>();
  for (const row of rows) {
    const key = attributesOf(row);
    const known = lines.get(key);
    lines.set(
      key,
      known === undefined
        ? row
        : {
            ...known,
            firstSeenAt: Math.min(known.firstSeenAt, row.firstSeenAt),
            observedAt: Math.max(known.observedAt, row.observedAt),
            sightings: known.sightings + row.sightings,
          },
    );
  }
  return [...lines.values()].map(
    ({ label, channel, industry, project, link, source, firstSeenAt, observedAt, sightings }) => ({
      label,
      channel,
      industry,
      project,
      link,
      source,
      firstSeenAt: instantOf(firstSeenAt),
      lastSeenAt: instantOf(observedAt),
      sightings,
    }),
  );
}

function attributesOf({ label, channel, industry, project, link, source }: PlainRow): string {
  return JSON.stringify([label, channel, industry, project, link?.host, link?.sha256, source]);
}

/** Order says nothing: compared as sets of lines. */
export function evidenceText(evidence: readonly PlainEvidence[]): string {
  const text = ({
    label,
    channel,
    industry,
    project,
    link,
    source,
    firstSeenAt,
    lastSeenAt,
    sightings,
  }: PlainEvidence) =>
    JSON.stringify([
      label,
      channel,
      industry,
      project,
      link?.host ?? null,
      link?.sha256 ?? null,
      source,
      firstSeenAt,
      lastSeenAt,
      sightings,
    ]);
  return evidence.map(text).sort().join('\n');
}

/**
 * Other numbers on record in the same block of 100 and of 1,000: certainly, and at most. `day`: only those first seen
 * by then.
 */
export function neighboursOf(model: Model, generation: Generation, number: number, day: number | null) {
  const certain = { hundred: 0, thousand: 0 };
  const most = { hundred: 0, thousand: 0 };
  const isThere = (rows: readonly PlainRow[]) => (day === null ? rows : rowsUntil(rows, day)).length > 0;
  for (const other of model.numbers()) {
    if (other === number || Math.floor(other / 1000) !== Math.floor(number / 1000)) continue;
    const rows = model.rowsIn(generation, other);
    const unsettled = model.unsettledIn(generation, rows);
    const isNear = Math.floor(other / 100) === Math.floor(number / 100);
    for (const [counts, known] of [
      [most, rows],
      [certain, rows.filter((row) => !unsettled.includes(row))],
    ] as const) {
      if (!isThere(known)) continue;
      counts.thousand += 1;
      if (isNear) counts.hundred += 1;
    }
  }
  return { certain, most };
}

export interface PlainBriefing {
  readonly captured: number;
  readonly firstTime: number;
  readonly inventory: number;
  readonly trend: readonly { readonly day: string; readonly captured: number; readonly firstTime: number }[];
}

/** The figures of a period, by sets. An aggregated line counts on its first and on its last day. */
export function briefingOf(model: Model, generation: Generation, from: number, to: number): PlainBriefing {
  const firstDays = new Map<number, number>();
  const daysOf = new Map<number, Set<number>>();
  for (const number of model.numbers()) {
    const rows = model.rowsIn(generation, number);
    const record = recordOf(rows);
    if (record === null) continue;
    firstDays.set(number, record.firstDay);
    const days = rows.flatMap(({ firstSeenAt, observedAt }) => [dayOfSeconds(firstSeenAt), dayOfSeconds(observedAt)]);
    daysOf.set(number, new Set(days));
  }
  const isIn = (day: number, first: number, last: number) => day >= first && day <= last;
  const captured = (first: number, last: number) =>
    [...daysOf].filter(([, days]) => [...days].some((day) => isIn(day, first, last))).map(([number]) => number);
  const firstTime = (first: number, last: number) =>
    captured(first, last).filter((number) => isIn(firstDays.get(number) ?? -1, first, last)).length;
  const trend = [];
  for (let day = from; day <= to; day++) {
    trend.push({ day: dateOf(day), captured: captured(day, day).length, firstTime: firstTime(day, day) });
  }
  return {
    captured: captured(from, to).length,
    firstTime: firstTime(from, to),
    inventory: [...firstDays.values()].filter((day) => day <= to).length,
    trend,
  };
}
