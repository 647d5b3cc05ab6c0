import { CsvRows } from './csv-rows.ts';
import { BodyError } from './errors.ts';
import { FIELDS, type Field, misnamedField } from './fields.ts';
import { type BodyReader, type LineReceiver, malformed } from './reader.ts';

/** CSV with a header line. Columns that are not fields of a detection are ignored. */
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
      row: (fields, line) => this.#row(fields, line),
      reject: (error) => {
        if (this.#columns === null) throw new BodyError('invalid-body', `expected a CSV header; ${error.detail}`);
        receiver.reject(error);
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

  #row(fields: readonly string[], line: number): void {
    const columns = this.#columns;
    if (columns === null) {
      this.#columns = columnsOf(fields);
    } else if (fields.length !== columns.count) {
      const expected = `expected ${columns.count} fields as in the header`;
      this.#receiver.reject(malformed(line, `${expected}; found ${fields.length}`));
    } else {
      const raw: Partial<Record<Field, string>> = {};
      for (const { field, position } of columns.known) raw[field] = fields[position] ?? '';
      this.#receiver.raw(raw, line);
    }
  }
}

interface CsvColumns {
  readonly count: number;
  readonly known: readonly { readonly field: Field; readonly position: number }[];
}

/** @throws BodyError `invalid-body` without a `number` column, or with a field twice or under a misspelled name */
function columnsOf(header: readonly string[]): CsvColumns {
  const names = header.map((name) => name.trim());
  const known = FIELDS.flatMap((field) => {
    const position = names.indexOf(field);
    if (position !== names.lastIndexOf(field)) {
      throw new BodyError('invalid-body', `expected each column once in the CSV header; found ${field} twice`);
    }
    return position < 0 ? [] : [{ field, position }];
  });
  const misnamed = misnamedField(names);
  if (misnamed !== null) {
    throw new BodyError('invalid-body', `expected the CSV column ${misnamed.field}; found ${misnamed.name}`);
  }
  if (!names.includes('number')) {
    throw new BodyError('invalid-body', `expected a CSV header with a number column; found ${header.length} others`);
  }
  return { count: header.length, known };
}
