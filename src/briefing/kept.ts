/**
 * Briefings as they are kept, one object a period: frame "RFBR" version 2 around the JSON. One is replaced by another
 * of the same period, never merged with it, so whoever writes last is right. Each can be computed again, so those that
 * are not asked for any more go (KEPT_MS, MAX_KEPT): there are millions of periods, and a key may ask for all of them.
 */
import type * as v from 'valibot';
import { FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import { dayOfMs, parseDay } from '../format/records.ts';
import { BRIEFINGS_PREFIX } from '../store/keys.ts';
import { deleteObjects, listObjects } from '../store/list-objects.ts';
import type { ObjectHead, ObjectStore } from '../store/store.ts';
import type { Briefing } from './briefing.ts';
import { type DaySpan, halfMonthBefore, periodOf } from './period.ts';
import { briefingSchema } from './schema.ts';

/** Since it was computed: a period is talked about for some weeks. */
const KEPT_MS = 30 * 86_400_000;
/** Those of half-months, which the product makes itself: the next ones compare themselves with those of a year. */
const HALF_MONTH_KEPT_MS = 400 * 86_400_000;
/** Of the former, the newest. With some 20 KB each they are 10 MB. */
const MAX_KEPT = 500;
/** Of a period that went on: the next day has another one, and detections of the same day another one yet. */
const RUNNING_KEPT_MS = 3_600_000;
/** Pages of 1,000 keys that one collection looks at; the rest is for the next hour. */
const PAGE_LIMIT = 100;

const schema: v.GenericSchema<Briefing> = briefingSchema;
const briefingFile = framedJson('RFBR', 2, schema);

export function briefingKey(span: DaySpan): string {
  const { from, to } = periodOf(span);
  return `${BRIEFINGS_PREFIX}${from}_${to}`;
}

/** What is kept of the period; null: nothing, or nothing that can be read. Rejects when storage does not answer. */
export async function readKept(objects: ObjectStore, span: DaySpan): Promise<Briefing | null> {
  const object = await objects.get(briefingKey(span));
  if (object === null) return null;
  try {
    const briefing = briefingFile.decode(object.bytes);
    const { from, to } = periodOf(span);
    return briefing.period.from === from && briefing.period.to === to ? briefing : null;
  } catch (error) {
    // Damaged, or of a later version: it is computed anew, as if it had not been kept.
    if (error instanceof FormatError) return null;
    throw error;
  }
}

export async function keep(objects: ObjectStore, span: DaySpan, briefing: Briefing): Promise<void> {
  await objects.put(briefingKey(span), briefingFile.encode(briefing));
}

const KEY = /(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})$/;

/**
 * Deletes kept briefings that nobody is likely to ask for again; whoever does has them computed. Returns how many.
 * Rejects when storage does not answer: what was deleted by then was to go.
 *
 * @param now milliseconds since 1970
 */
export async function collectBriefings(objects: ObjectStore, now: number): Promise<number> {
  const garbage: string[] = [];
  const others: ObjectHead[] = [];
  for await (const head of listObjects(objects, BRIEFINGS_PREFIX, PAGE_LIMIT)) {
    const kind = kindOf(head);
    if (now - head.uploadedAt > KEPT_FOR[kind]) garbage.push(head.key);
    else if (kind === 'other') others.push(head);
  }
  others.sort((a, b) => b.uploadedAt - a.uploadedAt);
  garbage.push(...others.slice(MAX_KEPT).map(({ key }) => key));
  await deleteObjects(objects, garbage);
  return garbage.length;
}

const KEPT_FOR = { running: RUNNING_KEPT_MS, 'half-month': HALF_MONTH_KEPT_MS, other: KEPT_MS } as const;

/** By its key and its time alone; what has another key than ours is not of this version. */
function kindOf({ key, uploadedAt }: ObjectHead): keyof typeof KEPT_FOR {
  const [, first = '', last = ''] = KEY.exec(key) ?? [];
  const [from, to] = [parseDay(first), parseDay(last)];
  if (from === null || to === null) return 'other';
  if (to >= dayOfMs(uploadedAt)) return 'running';
  const half = halfMonthBefore(to + 1);
  return half.from === from && half.to === to ? 'half-month' : 'other';
}
