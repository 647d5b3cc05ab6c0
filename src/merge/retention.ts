import type { RetainedGeneration } from '../format/manifest.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Every generation that was current in the last hour is retained: readers may still hold it, and that hour is longer
 * than the longest tick (15 minutes) and the caches (a minute) together.
 */
const KEEP_ALL_MS = HOUR_MS;
/** Then one an hour for a day, and one a day for three days. */
const KEEP_HOURLY_MS = DAY_MS;
const KEEP_DAILY_MS = 3 * DAY_MS;

/** Which of the earlier generations (oldest first) can be dropped: pure, so that every writer thins the same. */
export function thinRetained(retained: readonly RetainedGeneration[], now: number): RetainedGeneration[] {
  return retained.filter((entry, i) => {
    const successor = retained[i + 1];
    if (successor === undefined || now - successor.publishedAt <= KEEP_ALL_MS) return true;
    const age = now - entry.publishedAt;
    const period = age <= KEEP_HOURLY_MS ? HOUR_MS : DAY_MS;
    // The last generation of each period stays.
    const isLast = Math.floor(successor.publishedAt / period) !== Math.floor(entry.publishedAt / period);
    return isLast && age <= KEEP_DAILY_MS;
  });
}
