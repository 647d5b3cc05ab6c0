/** What the ledger tells of the canaries that were seen. */
import type { CountedBatch } from './counted.ts';
import type { Ledger, SourceName } from './ledger.ts';

/** Named with a canary; a hit quarantines its source, so more than a few names are one uploader under many. */
const MAX_HIT_SOURCES = 20;

/** Those of numbers that are canaries no longer go at this occasion. */
export function withHits(
  ledger: Ledger,
  counted: readonly CountedBatch[],
  { canaries, now }: { readonly canaries: ReadonlySet<number>; readonly now: number },
): Ledger {
  const hits = new Map<number, Ledger['hits'][number]>();
  for (const hit of ledger.hits) if (canaries.has(hit.number)) hits.set(hit.number, hit);
  const add = (number: number, source: SourceName, more: number) => {
    const { detections, sources } = hits.get(number) ?? { detections: 0, sources: [] };
    const named = [...new Set([...sources, source])].slice(0, MAX_HIT_SOURCES);
    hits.set(number, { number, detections: detections + more, lastAt: now, sources: named });
  };
  for (const { hits: ofBatch } of counted) {
    for (const [source, numbers] of ofBatch) for (const [number, more] of numbers) add(number, source, more);
  }
  return { ...ledger, hits: [...hits.values()] };
}
