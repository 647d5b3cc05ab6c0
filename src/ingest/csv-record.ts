/**
 * CSV as RFC 4180 has it: fields parted by the delimiter; a field may be in double quotes, and then holds delimiters,
 * line breaks and doubled quotes. A quote anywhere else is an error, not a guess.
 */

/** A record after one more line: it is whole, it continues in the next line, or the reason why it is none. */
export type RecordProgress = 'whole' | 'open' | { readonly problem: string };

const QUOTE = '"';

/** One record, fed line by line. A line break inside quotes becomes LF whatever it was. */
export class CsvRecord {
  readonly fields: string[] = [];
  readonly #delimiter: string;
  #field = '';
  #inQuotes = false;

  /** @param delimiter one character */
  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  feed(line: string): RecordProgress {
    let at = 0;
    if (this.#inQuotes) this.#field += '\n';
    for (;;) {
      if (!this.#inQuotes && line[at] === QUOTE) {
        this.#inQuotes = true;
        at += 1;
      }
      const end = this.#inQuotes ? this.#quoted(line, at) : this.#plain(line, at);
      if (typeof end !== 'number') return end;
      if (end === line.length) return 'whole';
      if (line[end] !== this.#delimiter) return { problem: 'expected a delimiter after a closing quote; found text' };
      at = end + 1;
    }
  }

  /** Takes the rest of a quoted field; returns where its closing quote ends. */
  #quoted(line: string, from: number): number | RecordProgress {
    let at = from;
    for (;;) {
      const quote = line.indexOf(QUOTE, at);
      if (quote < 0) {
        this.#field += line.slice(at);
        return 'open';
      }
      this.#field += line.slice(at, quote);
      if (line[quote + 1] !== QUOTE) {
        this.fields.push(this.#field);
        this.#field = '';
        this.#inQuotes = false;
        return quote + 1;
      }
      this.#field += QUOTE;
      at = quote + 2;
    }
  }

  /** Takes an unquoted field; returns where it ends. */
  #plain(line: string, from: number): number | RecordProgress {
    const delimiter = line.indexOf(this.#delimiter, from);
    const end = delimiter < 0 ? line.length : delimiter;
    const field = line.slice(from, end);
    if (field.includes(QUOTE)) return { problem: 'expected a quote only around a whole field; found one inside' };
    this.fields.push(field);
    return end;
  }
}
