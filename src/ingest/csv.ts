import { CsvRows, checkFirstRecord, type RowShape, swallowedRows, swallowsRows } from './csv-rows.ts';
import { BodyError, LINE_ENDS_LOST } from './errors.ts';
import { FIELDS, type Field, misnamedField, respeltField } from './fields.ts';
import { type BodyReader, type LineReceiver, malformed } from './reader.ts';

/** CSV with a header line. Columns that are not fields of a detection are passed over. */
export function csvReader(receiver: LineReceiver): BodyReader {
  return new CsvBody(receiver);
}

class CsvBody implements BodyReader {
  readonly #receiver: LineReceiver;
  readonly #rows: CsvRows;
  #columns: CsvColumns | null = null;

  constructor(receiver: LineReceiver) {
    this.#receiver = receiver;
    this.#rows = new CsvRows({
      row: (fields, line, endLine) => this.#row(fields, line, endLine),
      reject: (error) => {
        if (this.#columns !== null) return receiver.reject(error);
        throw new BodyError('invalid-body', `expected a CSV header; ${error.detail} (${LINE_ENDS_LOST})`);
      },
    });
  }

  push(text: string): void {
    this.#rows.push(text);
  }

  end(): void {
    this.#rows.end();
    if (this.#columns === null) throw new BodyError('invalid-body', 'expected a CSV header; found nothing');
  }

  #row(fields: readonly string[], line: number, endLine: number): void {
    const columns = this.#columns;
    if (columns === null) {
      const names = fields.map((name) => name.trim());
      this.#columns = columnsOf(names);
      this.#receiver.header?.(names);
    } else if (fields.length !== columns.count) {
      const expected = `expected ${columns.count} fields as in the header`;
      this.#receiver.reject(malformed(line, `${expected}; found ${fields.length}`));
    } else if (endLine > line && swallowsRows(fields, columns)) {
      this.#receiver.reject(swallowedRows(line, endLine));
    } else {
      const raw: Partial<Record<Field, string>> = {};
      for (const { field, position } of columns.known) raw[field] = fields[position] ?? '';
      this.#receiver.raw(raw, line);
    }
  }
}

interface CsvColumns extends RowShape {
  readonly known: readonly { readonly field: Field; readonly position: number }[];
}

/**
 * @param names of the header, without the white space around them
 * @throws BodyError `invalid-body` without a `number` column, with a field twice or under a misspelled name, or if it
 *   holds more than a header
 */
function columnsOf(names: readonly string[]): CsvColumns {
  checkFirstRecord(names);
  const known = FIELDS.flatMap((field) => {
    const position = names.indexOf(field);
    const last = names.lastIndexOf(field);
    if (position !== last) {
      const found = `found ${field} twice, in columns ${position + 1} and ${last + 1}`;
      throw new BodyError('invalid-body', `expected each column once in the CSV header; ${found}`);
    }
    return position < 0 ? [] : [{ field, position }];
  });
  const respelt = respeltField(names);
  if (respelt !== null) {
    const columns = `columns ${names.indexOf(respelt.field) + 1} and ${respelt.position + 1}`;
    const found = `found ${respelt.field} and ${respelt.name}, in ${columns}`;
    throw new BodyError('invalid-body', `expected each column once in the CSV header; ${found}`);
  }
  const misnamed = misnamedField(names);
  if (misnamed !== null) {
    throw new BodyError('invalid-body', `expected the CSV column ${misnamed.field}; found ${misnamed.name}`);
  }
  const number = names.indexOf('number');
  if (number < 0) {
    const found = `found ${names.length} others${names.some(isData) ? `, with numbers in them: ${LINE_ENDS_LOST}` : ''}`;
    throw new BodyError('invalid-body', `expected a CSV header with a number column; ${found}`);
  }
  return { count: names.length, number, delimiter: ',', known };
}

/** A name with so many digits is none: the header is missing, or rows stand in its place. */
function isData(name: string): boolean {
  return name.replace(/\D/g, '').length >= 7;
}
