/** Schemas of values that stand in many documents: one owner each, so that all of them refuse the same. */
import * as v from 'valibot';

/** How many of something: a whole number that a double holds exactly. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A fraction of 1. */
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** A date-time in UTC, ISO 8601. */
export const instant = v.pipe(v.string(), v.isoTimestamp());
