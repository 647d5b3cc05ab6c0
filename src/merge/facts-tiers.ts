/**
 * Which facts objects a tick rewrites together with its own: none until there are eight of a size, so that a minute's
 * detections rewrite nothing as a rule; and an object that has reached half of its full size never again
 * (docs/decisions/0022-activity.md).
 */
import type { FactsEntry } from '../format/manifest.ts';
import { OBJECT_BYTES } from './facts-objects.ts';

/** Objects below this size are of the first tier. */
const TIER_BYTES = 2 ** 19;
const TIER_RATIO = 8;
/** From here on an object is left as it is. */
const FULL_BYTES = OBJECT_BYTES / 2;

/**
 * The objects that are joined with `newBytes` of new ones, all together at most an object's size.
 * @param tierObjects how many of a tier become one
 */
export function planFacts(entries: readonly FactsEntry[], newBytes: number, tierObjects: number): FactsEntry[] {
  const growing = entries.filter(({ bytes }) => bytes < FULL_BYTES);
  const joined: FactsEntry[] = [];
  let total = newBytes;
  for (let tier = 0; total < FULL_BYTES; tier++) {
    if (tierOf(total) > tier) continue;
    const members = growing.filter(({ bytes }) => tierOf(bytes) === tier).sort((a, b) => a.bytes - b.bytes);
    if (members.length + 1 < tierObjects) break;
    for (const entry of members) {
      if (total + entry.bytes > OBJECT_BYTES) return joined;
      joined.push(entry);
      total += entry.bytes;
    }
  }
  return joined;
}

function tierOf(bytes: number): number {
  return bytes < TIER_BYTES ? 0 : 1 + Math.floor(Math.log(bytes / TIER_BYTES) / Math.log(TIER_RATIO));
}
