/** What errors say, and the one rule by which digits that may be a phone number are kept out of logs and answers. */

/** As the error says it: it may quote a phone number. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Seven digits or more, with or without what people write between those of a phone number. Digits that are part of a key,
 * a hash or a commit stay: letters or hyphens come before or after them. In the query of an address, %2B comes before.
 */
const DIGITS = /(?:(?<![0-9a-z-])|(?<=%2b))\d(?:(?:[\s().]|%20|[-/_](?=\d))*\d){6,}(?![0-9a-z-])/gi;
const DATES = /^\d{4}-\d\d-\d\d(?:[\s_/]+\d{4}-\d\d-\d\d)*$/;

/**
 * A text without what may be a phone number. Readers of stored objects quote what they refuse, and a failure of a
 * library may quote its input.
 */
export function redacted(text: string): string {
  return text.replace(DIGITS, (found) => (DATES.test(found) ? found : '[digits]'));
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
