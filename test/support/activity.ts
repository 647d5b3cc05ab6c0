/**
 * Activity, computed straight from detections, to compare with what the merge makes of them: no code is shared with it.
 * And the activity of a store as text.
 */
import type { ActivityKey, ActivitySource, DayActivity, KindSpan } from '../../src/format/activity.ts';
import type { Detection } from '../../src/format/attributes.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { openActivity } from '../../src/storage/activity.ts';
import type { ObjectStore } from '../../src/storage/store.ts';

const DAY = 86_400;
/** Beyond any day of seconds of 32 bits. */
export const LAST_DAY = 50_000;

/** A number seen at a time, with its attributes. */
export interface Sighting extends Omit<Detection, 'observedAt' | 'firstSeenAt' | 'sightings'> {
  readonly day: number;
  /** Seconds since 1970. */
  readonly at: number;
}

/** Each detection on its day; an aggregated one on its first and on its last. */
export function sightingsOf(detections: readonly Detection[]): Sighting[] {
  return detections.flatMap(({ observedAt, firstSeenAt, sightings: _, ...rest }) => {
    const times =
      Math.floor(firstSeenAt / DAY) === Math.floor(observedAt / DAY) ? [firstSeenAt] : [firstSeenAt, observedAt];
    return times.map((at) => ({ ...rest, at, day: Math.floor(at / DAY) }));
  });
}

const kindText = (kind: ActivityKey) =>
  JSON.stringify([kind.label, kind.channel, kind.industry, kind.project, kind.linkHost, kind.source]);
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

interface Row extends Sighting {
  readonly kindId: number;
  /** The first 16 hex digits of the link's hash. */
  readonly linkHash: string;
}

interface Activity {
  readonly kinds: readonly KindSpan[];
  /** In order. */
  readonly days: readonly DayActivity[];
}

function activityOf(detections: readonly Detection[]): Activity {
  const spans = new Map<string, { kind: ActivityKey; firstDay: number; lastDay: number }>();
  const sightings = sightingsOf(detections).map((sighting) => {
    const { label, channel, industry, project, link, source, day } = sighting;
    const kind: ActivityKey = { label, channel, industry, project, linkHost: link?.host ?? null, source };
    const text = kindText(kind);
    const span = spans.get(text) ?? { kind, firstDay: day, lastDay: day };
    span.firstDay = Math.min(span.firstDay, day);
    span.lastDay = Math.max(span.lastDay, day);
    spans.set(text, span);
    return { ...sighting, text, linkHash: link?.sha256.slice(0, 16) ?? '0'.repeat(16) };
  });
  const inOrder = [...spans].sort(([a], [b]) => byCode(a, b));
  const ids = new Map(inOrder.map(([text], id) => [text, id]));
  const rows = sightings.map(({ text, ...rest }): Row => ({ ...rest, kindId: ids.get(text) ?? -1 }));
  const byDay = [...Map.groupBy(rows, ({ day }) => day)].sort(([a], [b]) => a - b);
  return { kinds: inOrder.map(([, span]) => span), days: byDay.map(([day, each]) => dayActivity(day, each)) };
}

function dayActivity(day: number, all: readonly Row[]): DayActivity {
  const distinct = new Map<string, Row>();
  for (const row of all) {
    const id = `${row.number} ${row.kindId} ${row.linkHash}`;
    const known = distinct.get(id);
    if (known === undefined || row.at < known.at) distinct.set(id, row);
  }
  const rows = [...distinct.values()].sort(
    (a, b) => a.number - b.number || a.kindId - b.kindId || byCode(a.linkHash, b.linkHash),
  );
  const half = ({ linkHash }: Row, from: number) => Number.parseInt(linkHash.slice(from, from + 8), 16);
  return {
    day,
    rows: rows.length,
    numbers: Float64Array.from(rows, ({ number }) => number),
    firstSeenAt: Uint32Array.from(rows, ({ at }) => at),
    kind: Uint32Array.from(rows, ({ kindId }) => kindId),
    linkHigh: Uint32Array.from(rows, (row) => half(row, 0)),
    linkLow: Uint32Array.from(rows, (row) => half(row, 8)),
  };
}

/** As the merge keeps it: what a briefing is computed from. */
export function memoryActivity(detections: readonly Detection[]): ActivitySource {
  const { kinds, days } = activityOf(detections);
  return {
    kinds,
    async *days(from, to) {
      yield* days.filter(({ day }) => day >= from && day <= to);
    },
  };
}

export interface PlainActivity {
  /** `day number kind link second`, in the order of the activity. */
  readonly rows: string[];
  readonly kinds: KindSpan[];
}

export function expectedActivity(detections: readonly Detection[]): PlainActivity {
  const { kinds, days } = activityOf(detections);
  return { rows: days.flatMap((day) => rowsOf(day, kinds)), kinds: [...kinds] };
}

function rowsOf(activity: DayActivity, kinds: readonly KindSpan[]): string[] {
  const hex = (half: number | undefined) => (half ?? 0).toString(16).padStart(8, '0');
  return Array.from(activity.numbers, (number, row) => {
    const kind = kinds[activity.kind[row] ?? -1]?.kind;
    const link = hex(activity.linkHigh[row]) + hex(activity.linkLow[row]);
    return `${activity.day} ${number} ${kind && kindText(kind)} ${link} ${activity.firstSeenAt[row]}`;
  });
}

export async function plainActivity(source: ActivitySource, from = 0, to = LAST_DAY): Promise<PlainActivity> {
  const rows: string[] = [];
  for await (const day of source.days(from, to)) rows.push(...rowsOf(day, source.kinds));
  return { rows, kinds: [...source.kinds] };
}

/** The folded activity of the published generation. */
export async function actualActivity(objects: ObjectStore): Promise<PlainActivity> {
  return plainActivity(await openActivity(objects, (await loadManifest(objects)).manifest, UNPACED));
}
