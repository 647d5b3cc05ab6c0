/**
 * Briefings as they are kept, one object a period: frame "RFBR" version 1 around the JSON. One is replaced by another
 * of the same period, never merged with it, so whoever writes last is right.
 */
import type * as v from 'valibot';
import { FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import { BRIEFINGS_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';
import type { Briefing } from './briefing.ts';
import { type DaySpan, periodOf } from './period.ts';
import { briefingSchema } from './schema.ts';

const schema: v.GenericSchema<Briefing> = briefingSchema;
const briefingFile = framedJson('RFBR', 1, schema);

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
