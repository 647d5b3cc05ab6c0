/**
 * Which facts objects a tick rewrites together with its own: tiered by size, and an object that has reached half of its
 * full size never again, so that a minute's detections do not rewrite history (docs/decisions/0022-facts.md).
 */
import type { FactsEntry } from '../format/manifest.ts';
import { OBJECT_BYTES } from './facts-objects.ts';

/** Objects up to this size are rewritten with whatever is newer: a read and a write of it a minute, at most. */
const SMALL_BYTES = 2 ** 18;
const TIER_RATIO = 5;
/** From here on an object is left as it is. Two that are smaller always fit into one. */
const FULL_BYTES = OBJECT_BYTES / 2;

/** The objects that are joined with `newBytes` of new ones, all together at most an object's size. */
export function planFacts(entries: readonly FactsEntry[], newBytes: number): FactsEntry[] {
  const growing = entries.filter(({ bytes }) => bytes < FULL_BYTES).sort((a, b) => a.bytes - b.bytes);
  const joined: FactsEntry[] = [];
  let total = newBytes;
  for (const entry of growing) {
    const { bytes } = entry;
    if (bytes > Math.max(SMALL_BYTES, TIER_RATIO * total) || total + bytes > OBJECT_BYTES) break;
    joined.push(entry);
    total += bytes;
  }
  return joined;
}
