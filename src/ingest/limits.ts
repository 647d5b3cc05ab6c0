/** Bounds on one upload. The first two are part of the API; the others let an upload be read in constant memory. */

/** Detections in one upload, accepted and rejected together. */
export const MAX_DETECTIONS = 100_000;
/**
 * Body after content decoding; it bounds the body as sent too, since gzip can also inflate a lot of bytes to nothing.
 */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/**
 * One line, CSV record or array element, in UTF-16 code units. The longest sensible one (a link of 2,048) has ~3,000.
 */
export const MAX_LINE_CHARS = 65_536;
/** Objects and arrays inside one array element. A detection is flat; a feed's extra fields may nest a little. */
export const MAX_NESTING = 32;
/** Errors reported on one upload; the rest are only counted. Part of the API. */
export const MAX_REPORTED_ERRORS = 100;
/** Different values of `source`. Collectors send a handful in an upload, a list of channels some hundreds. */
export const MAX_UPLOAD_SOURCES = 1_000;
/** Distinct combinations of everything in a line but its number, its times and its link. */
export const MAX_UPLOAD_KINDS = 20_000;
/** Bytes of distinct attributes, as JavaScript holds them. A different link for each of 100,000 lines takes 12 MiB. */
export const MAX_UPLOAD_TEXT_BYTES = 16 * 2 ** 20;
