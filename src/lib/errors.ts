/** What errors say, and the one rule by which digits that may be a phone number are kept out of logs and answers. */

/** As the error says it: it may quote a phone number. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Seven digits or more, of any script, with or without what people write between those of a phone number. Digits that
 * are part of a key, a hash or a commit stay: hexadecimal letters or hyphens come before or after them. In an address
 * that is escaped, %2B, %3A and the like come before.
 */
const DIGITS =
  /(?:(?<![\p{Nd}a-f-])|(?<=%(?:2b|2d|3a|3d)))\p{Nd}(?:(?:[\s().*~+·\u2010-\u2015\u200b]|%20|%2[89d]|\\[nrt]|[-/_](?=\p{Nd}))*\p{Nd}){6,}(?![\p{Nd}a-f-])/giu;
const DATE = '(?:19|20)\\d\\d-[01]\\d-[0-3]\\d(?: [0-2]\\d)?';
/** Days, and the day and hour of an instant, are no phone numbers. */
const DATES = new RegExp(`^${DATE}(?:[\\s_/.]+${DATE})*$`);
/** A longer text is cut: it is to be read by people. */
const MAX_CHARS = 4_000;

/**
 * A text without what may be a phone number. Readers of stored objects quote what they refuse, and a failure of a
 * library may quote its input.
 */
export function redacted(text: string): string {
  return text.slice(0, MAX_CHARS).replace(DIGITS, (found) => (DATES.test(found) ? found : '[digits]'));
}

/** What an error says, fit to be shown. */
export function loggableMessage(error: unknown): string {
  return redacted(messageOf(error));
}

export type Log = (event: string, details: Readonly<Record<string, string | number>>) => void;

/** A log that no phone number passes, whatever the texts that are written to it quote. */
export function redactedLog(log: Log): Log {
  return (event, details) => {
    const entries = Object.entries(details);
    log(
      event,
      Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'string' ? redacted(value) : value])),
    );
  };
}
