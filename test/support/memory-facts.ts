/** Activity of detections in memory, as the merge keeps them: what a briefing is computed from. */
import type { ActivityKey, ActivitySource, DayActivity, KindSpan } from '../../src/format/activity.ts';
import type { Detection } from '../../src/format/attributes.ts';

const DAY = 86_400;

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

const HALF = 8;

interface Row extends Sighting {
  readonly kindId: number;
}

export function memoryActivity(detections: readonly Detection[]): ActivitySource {
  const ids = new Map<string, number>();
  const spans: { kind: ActivityKey; firstDay: number; lastDay: number }[] = [];
  const rows = sightingsOf(detections).map((sighting): Row => {
    const { label, channel, industry, project, link, source, day } = sighting;
    const kind: ActivityKey = { label, channel, industry, project, linkHost: link?.host ?? null, source };
    const text = JSON.stringify(kind);
    const kindId = ids.get(text) ?? ids.size;
    ids.set(text, kindId);
    const span = spans[kindId];
    if (span === undefined) spans.push({ kind, firstDay: day, lastDay: day });
    else {
      span.firstDay = Math.min(span.firstDay, day);
      span.lastDay = Math.max(span.lastDay, day);
    }
    return { ...sighting, kindId };
  });
  const kinds: readonly KindSpan[] = spans;
  const days = new Map([...Map.groupBy(rows, ({ day }) => day)].map(([day, each]) => [day, dayActivity(day, each)]));
  return {
    kinds,
    async *days(from, to) {
      for (const day of [...days.keys()].sort((a, b) => a - b)) {
        const facts = days.get(day);
        if (day >= from && day <= to && facts !== undefined) yield facts;
      }
    },
  };
}

function dayActivity(day: number, all: readonly Row[]): DayActivity {
  const distinct = new Map<string, Row>();
  for (const row of all) {
    const id = `${row.number} ${row.kindId} ${row.link?.sha256 ?? ''}`;
    const known = distinct.get(id);
    if (known === undefined || row.at < known.at) distinct.set(id, row);
  }
  const rows = [...distinct.values()].sort(
    (a, b) => a.number - b.number || a.kindId - b.kindId || ((a.link?.sha256 ?? '') < (b.link?.sha256 ?? '') ? -1 : 1),
  );
  const half = (row: Row, from: number) =>
    row.link === null ? 0 : Number.parseInt(row.link.sha256.slice(from, from + HALF), 16);
  return {
    day,
    rows: rows.length,
    numbers: Float64Array.from(rows, ({ number }) => number),
    firstSeenAt: Uint32Array.from(rows, ({ at }) => at),
    kind: Uint32Array.from(rows, ({ kindId }) => kindId),
    linkHigh: Uint32Array.from(rows, (row) => half(row, 0)),
    linkLow: Uint32Array.from(rows, (row) => half(row, HALF)),
  };
}
