/** Maps the columns of a foreign file to the fields of a detection. */

import type { RawLine } from '../../src/ingest/body.ts';
import { FIELDS, type Field, isField, misnamedField, respeltField } from '../../src/ingest/fields.ts';
import { wordOrShape } from '../../src/ingest/validate.ts';
import { CommandError, UsageError } from '../command/errors.ts';

/** Ends an import with a message for the person at the terminal. What was sent so far stays counted. */
export class ImportError extends CommandError {
  override readonly name = 'ImportError';
}

/** `map`: field to header name, 1-based column number, or property; `set`: field to the value of every line. */
export interface Mapping {
  readonly map: FieldTexts;
  readonly set: FieldTexts;
}

export type FieldTexts = Readonly<Partial<Record<Field, string>>>;

/** In a JSON object that maps keys to values, the names of the two. */
export const KEY_PROPERTY = '$key';
export const VALUE_PROPERTY = '$value';

const COLUMN_NUMBER = /^[1-9]\d{0,4}$/;

/** A comma that begins another `field=`; a name or a value may have others. */
const PAIR_COMMA = /,(?=\s*\w+=)/;

/**
 * Reads `number=col,observedAt=col`.
 * @throws UsageError naming the option
 */
export function parseFieldTexts(option: string, texts: readonly string[]): FieldTexts {
  const result: Partial<Record<Field, string>> = {};
  for (const pair of texts.flatMap((text) => text.split(PAIR_COMMA))) {
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (at < 0 || value === '') throw new UsageError(`${option}: expected field=value, found "${pair}"`);
    if (!isField(name)) throw new UsageError(`${option}: expected one of ${FIELDS.join(', ')}; found "${name}"`);
    if (result[name] !== undefined) throw new UsageError(`${option}: ${name} is given twice`);
    result[name] = value;
  }
  return result;
}

/** @throws UsageError if a field is both mapped and set */
export function checkMapping({ map, set }: Mapping): void {
  const both = FIELDS.find((field) => map[field] !== undefined && set[field] !== undefined);
  if (both !== undefined) throw new UsageError(`${both} is in both --map and --set: leave it out of one`);
  if (set.number !== undefined) throw new UsageError('--set number=… would give every line the same number');
}

/** Whether the value of this property of a JSON object is read. */
export function isReadBy({ map }: Mapping): (name: string) => boolean {
  const mapped = new Set(Object.values(map));
  return (name) => isField(name) || mapped.has(name);
}

/** Whether a column is named by its place, as in a file without a header. */
export function hasColumnNumbers({ map }: Mapping): boolean {
  return Object.values(map).some((column) => COLUMN_NUMBER.test(column));
}

export interface Columns {
  /** How many each row has. */
  readonly count: number;
  /** Where the number is among them, from 0. */
  readonly number: number;
  /** Names of those that are not used. */
  readonly others: readonly string[];
  readonly fields: readonly { readonly field: Field; readonly position: number }[];
}

/**
 * Where the fields are in the rows of a delimited file: what is mapped, and beside it the columns that bear a field's
 * own name.
 * @param first the first row
 * @param header whether that is the header
 * @throws ImportError if a mapped column is missing, or none is `number`
 */
export function columnsOf(first: readonly string[], header: boolean, { map, set }: Mapping): Columns {
  const names = header ? first.map((name) => name.trim()) : [];
  const fields: { field: Field; position: number }[] = [];
  for (const field of FIELDS) {
    const column = map[field];
    if (column !== undefined) fields.push({ field, position: positionOf(field, column, names, first.length) });
    else if (set[field] === undefined && names.includes(field))
      fields.push({ field, position: onlyOne(field, field, names) });
  }
  const found = fields.map(({ field }) => field);
  const mapped = Object.values(map);
  const respelt = respeltField(names.map((name) => (isUnsure(name, { map, set }) ? name : '')));
  if (respelt !== null) {
    const { field, name, position } = respelt;
    const first = names.indexOf(field) + 1;
    throw new ImportError(
      `the header has ${field} and ${name}, in columns ${first} and ${position + 1}: say which it is with --map ${field}=${first} --header`,
    );
  }
  const misnamed = misnamedField([...found, ...Object.keys(set), ...names.filter((name) => !mapped.includes(name))]);
  if (misnamed !== null) {
    throw new ImportError(
      `column ${misnamed.name} looks like ${misnamed.field}: say --map ${misnamed.field}=${misnamed.name}`,
    );
  }
  const number = fields.find(({ field }) => field === 'number')?.position;
  if (number === undefined) {
    const what = header ? `the header has ${listed(names)}` : `there is no header, and ${first.length} columns`;
    throw new ImportError(`no column is called number (${what}): say which it is with --map number=NAME or number=1`);
  }
  const used = new Set(fields.map(({ position }) => position));
  return { count: first.length, number, others: names.filter((_, position) => !used.has(position)), fields };
}

/** Whether nobody has said what a column is, or what is in its place. */
function isUnsure(name: string, { map, set }: Mapping): boolean {
  const isSaid = isField(name) && (map[name] ?? set[name]) !== undefined;
  return !isSaid && !Object.values(map).includes(name);
}

function positionOf(field: Field, column: string, names: readonly string[], count: number): number {
  if (COLUMN_NUMBER.test(column)) {
    if (Number(column) <= count) return Number(column) - 1;
    throw new ImportError(`--map ${field}=${column}: the file has ${count} columns`);
  }
  if (names.includes(column)) return onlyOne(field, column, names);
  const found = names.length === 0 ? 'the file is read without a header' : `the header has ${listed(names)}`;
  throw new ImportError(`--map ${field}=${column}: no such column; ${found}`);
}

/** @throws ImportError if the name stands twice: which of the two is meant would be a guess */
function onlyOne(field: Field, column: string, names: readonly string[]): number {
  const position = names.indexOf(column);
  const last = names.lastIndexOf(column);
  if (position === last) return position;
  const places = `columns ${position + 1} and ${last + 1}`;
  throw new ImportError(
    `the header has ${wordOrShape(column)} twice, in ${places}: say which it is with --map ${field}=${last + 1} --header`,
  );
}

/** Without a header where one was expected, the names are data: a number must not be shown. */
function listed(names: readonly string[]): string {
  const MAX_LISTED = 20;
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : '';
  return names.slice(0, MAX_LISTED).map(wordOrShape).join(', ') + more;
}

/** One row of a delimited file by field, with what is set for every line. */
export function rowToRaw(row: readonly string[], columns: Columns, { set }: Mapping): RawLine {
  const raw: Partial<Record<Field, string>> = {};
  for (const { field, position } of columns.fields) raw[field] = row[position] ?? '';
  return { ...raw, ...set };
}

/** One JSON object, likewise: mapped properties, its own properties, and what is set. */
export function objectToRaw(object: RawLine, { map, set }: Mapping): RawLine {
  const raw: Record<string, unknown> = { ...object };
  for (const field of FIELDS) {
    const property = map[field];
    if (property !== undefined) raw[field] = object[property];
  }
  for (const property of Object.values(map)) if (!isField(property)) delete raw[property];
  return { ...raw, ...set };
}
