/**
 * Defaulted and ignored fields of an upload, for its receipt, so that its sender learns of them before users are
 * blocked.
 */
import type { Receipt } from '../format/batch.ts';
import { type Field, isBlank, isField, keptName } from './fields.ts';
import type { RawLine } from './reader.ts';

/** Fields whose default changes what is answered of a number; the receipt counts the lines that got it. */
const DEFAULTED = ['label', 'channel', 'observedAt'] as const satisfies readonly Field[];

/**
 * Names listed in a receipt, each of at most 41 characters. A feed has a few; if there are more, they are not names.
 */
export const MAX_IGNORED_FIELDS = 20;
/** Stands last among the names if there were more. */
export const MORE_IGNORED = '…';
/** Names that have been examined, none longer than any that a feed has. */
const MAX_SEEN = 256;
const MAX_SEEN_CHARS = 64;

export type Notes = Required<Pick<Receipt, 'defaulted' | 'ignoredFields'>>;

/** Takes constant time a field of a line, and constant memory. */
export class UploadNotes {
  readonly #defaulted = { label: 0, channel: 0, observedAt: 0 };
  readonly #seen = new Set<string>();
  readonly #ignored = new Set<string>();
  #more = false;

  /** An accepted line, as the body gave it. */
  accept(raw: RawLine): void {
    for (const field of DEFAULTED) if (isBlank(raw[field])) this.#defaulted[field] += 1;
  }

  /** The names of the fields of a line or of a header, accepted or not; those that are none of ours are noted. */
  names(names: Iterable<string>): void {
    for (const name of names) {
      if (isField(name) || this.#more || this.#seen.has(name)) continue;
      const shown = keptName(name);
      if (this.#seen.size < MAX_SEEN && name.length <= MAX_SEEN_CHARS) this.#seen.add(name);
      if (shown === '' || this.#ignored.has(shown)) continue;
      if (this.#ignored.size < MAX_IGNORED_FIELDS) this.#ignored.add(shown);
      else this.#more = true;
    }
  }

  finish(): Notes {
    const names = [...this.#ignored];
    return { defaulted: { ...this.#defaulted }, ignoredFields: this.#more ? [...names, MORE_IGNORED] : names };
  }
}
