/** The activity of a store as text, and the straight computation to compare with: no code shared with the merge. */
import type { ActivityKey, ActivitySource, DayActivity, KindSpan } from '../../src/format/activity.ts';
import type { Detection } from '../../src/format/attributes.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { openActivity } from '../../src/storage/activity.ts';
import type { ObjectStore } from '../../src/storage/store.ts';

const DAY = 86_400;
/** Beyond any day of seconds of 32 bits. */
export const LAST_DAY = 50_000;

export interface PlainActivity {
  /** `day number kind link second`, in the order of the activity. */
  readonly rows: string[];
  readonly kinds: KindSpan[];
}

function kindOf({ label, channel, industry, project, link, source }: Detection): ActivityKey {
  return { label, channel, industry, project, linkHost: link?.host ?? null, source };
}

const kindText = (kind: ActivityKey) =>
  JSON.stringify([kind.label, kind.channel, kind.industry, kind.project, kind.linkHost, kind.source]);
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export function expectedActivity(detections: readonly Detection[]): PlainActivity {
  const seconds = new Map<string, { key: [number, number, string, string]; second: number }>();
  const kinds = new Map<string, { kind: ActivityKey; firstDay: number; lastDay: number }>();
  for (const detection of detections) {
    const kind = kindOf(detection);
    const text = kindText(kind);
    for (const second of [detection.firstSeenAt, detection.observedAt]) {
      const day = Math.floor(second / DAY);
      const link = detection.link?.sha256.slice(0, 16) ?? '0'.repeat(16);
      const id = JSON.stringify([day, detection.number, text, link]);
      const known = seconds.get(id)?.second ?? second;
      seconds.set(id, { key: [day, detection.number, text, link], second: Math.min(known, second) });
      const span = kinds.get(text) ?? { kind, firstDay: day, lastDay: day };
      span.firstDay = Math.min(span.firstDay, day);
      span.lastDay = Math.max(span.lastDay, day);
      kinds.set(text, span);
    }
  }
  const rows = [...seconds.values()].sort(
    ({ key: a }, { key: b }) => a[0] - b[0] || a[1] - b[1] || byCode(a[2], b[2]) || byCode(a[3], b[3]),
  );
  return {
    rows: rows.map(({ key: [day, number, kind, link], second }) => `${day} ${number} ${kind} ${link} ${second}`),
    kinds: [...kinds].sort(([a], [b]) => byCode(a, b)).map(([, span]) => span),
  };
}

export function rowsOf(facts: DayActivity, kinds: readonly KindSpan[]): string[] {
  const hex = (half: number | undefined) => (half ?? 0).toString(16).padStart(8, '0');
  return Array.from(facts.numbers, (number, row) => {
    const kind = kinds[facts.kind[row] ?? -1]?.kind;
    const link = hex(facts.linkHigh[row]) + hex(facts.linkLow[row]);
    return `${facts.day} ${number} ${kind && kindText(kind)} ${link} ${facts.firstSeenAt[row]}`;
  });
}

export async function plainActivity(source: ActivitySource, from = 0, to = LAST_DAY): Promise<PlainActivity> {
  const rows: string[] = [];
  for await (const facts of source.days(from, to)) rows.push(...rowsOf(facts, source.kinds));
  return { rows, kinds: [...source.kinds] };
}

/** The folded activity of the published generation. */
export async function actualActivity(objects: ObjectStore): Promise<PlainActivity> {
  return plainActivity(await openActivity(objects, (await loadManifest(objects)).manifest));
}
