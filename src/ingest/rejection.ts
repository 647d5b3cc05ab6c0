/** Why a line of an upload is not accepted: every code there is, and what it means. */
export const REJECT_REASONS = {
  'malformed-line':
    'the line is not a JSON object, or has a field twice, or is not a CSV record with the fields of the header, or too long',
  'misnamed-field':
    'the line has no such field but one of nearly its name: in other case, with "_" or "-", or misspelt',
  'invalid-number': 'no phone number is given, or it is in no assigned range of its number plan',
  'invalid-country': 'the country is not an ISO 3166-1 alpha-2 code with a number plan',
  'invalid-date': 'observedAt or firstSeen is no ISO 8601 date or date-time with offset, out of range, or out of order',
  'unknown-label': 'the label is not one of the configured labels',
  'unknown-channel': 'the channel is not one of the channels',
  'unknown-industry': 'the industry is not one of the industries',
  'invalid-text':
    'project or source is not a short text without control characters, line separators and characters that nobody sees',
  'invalid-link': 'the link is not an http(s) URL',
  'invalid-sightings': 'sightings is not an integer in range',
  'too-many-attributes':
    'the upload names more different sources, or says more different things, than one may: send the line in another',
} as const;

export type RejectCode = keyof typeof REJECT_REASONS;

/** A line that is not accepted. `detail` says what was expected and what was found, never a number or a link. */
export class Rejection {
  readonly code: RejectCode;
  readonly detail: string;
  /** The number is well-formed, but in no assigned range (src/number/refusal.ts). */
  readonly isUnassigned: boolean;

  constructor(code: RejectCode, detail: string, isUnassigned = false) {
    this.code = code;
    this.detail = detail;
    this.isUnassigned = isUnassigned;
  }
}

export type Checked<T> = T | Rejection;

const MAX_SHOWN_CHARS = 40;

/**
 * A value as a message may show it. A feed with its columns mixed up has numbers and links anywhere, so digits become
 * `#` and letters `a`, which still shows what is wrong with a date.
 */
export function shapeOf(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value !== 'string') return typeof value;
  if (value.length > MAX_SHOWN_CHARS) return `${value.length} characters`;
  return `"${value.replace(/\p{Nd}/gu, '#').replace(/\p{L}/gu, 'a')}"`;
}

/** Like `shapeOf`, but shows what can only be a word: ASCII letters parted by `_`, `-` or spaces. */
export function wordOrShape(value: unknown): string {
  const isWord =
    typeof value === 'string' && value.length <= MAX_SHOWN_CHARS && /^[A-Za-z]+([ _-][A-Za-z]+)*$/.test(value);
  return isWord ? `"${value}"` : shapeOf(value);
}
