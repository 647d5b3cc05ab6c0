/**
 * The fields of a line, as `POST /v1/detections` documents them. Other fields are ignored, and named in the receipt.
 */
export const FIELDS = [
  'number',
  'country',
  'observedAt',
  'label',
  'channel',
  'industry',
  'project',
  'link',
  'source',
  'firstSeen',
  'sightings',
] as const;

export type Field = (typeof FIELDS)[number];

export function isField(name: string): name is Field {
  return FIELD_SET.has(name);
}

const FIELD_SET: ReadonlySet<string> = new Set(FIELDS);
const FOLDED_FIELDS: readonly (readonly [folded: string, field: Field])[] = FIELDS.map((field) => [fold(field), field]);

/** Absent, null and blank are the same, since a CSV file has no other way to leave a field out. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** A misspelt field: `name` is nearly the name of the field, and can be shown. */
export interface MisnamedField {
  readonly field: Field;
  readonly name: string;
}

/** How many letters may be wrong, missing, added or swapped, by the length of the name. */
const MAX_SLIPS = 2;
const LONG_NAME_LETTERS = 8;
/** Losing a link changes no verdict, and there are too many other words of four letters. */
const NEVER_NEAR: ReadonlySet<Field> = new Set(['link']);
/** Words with a meaning of their own, which feeds use. */
const OTHER_WORDS: ReadonlySet<string> = new Set(['county', 'observedby']);

/**
 * The first name that is nearly that of a missing field: it differs in case, spaces, `_` or `-`, or by a slip of the
 * keyboard. Ignoring `observed_at` would quietly date every detection today, and ignoring `labell` would
 * label every one as the default has it, so they are refused instead.
 */
export function misnamedField(names: readonly string[]): MisnamedField | null {
  for (const name of names) {
    if (isField(name)) continue;
    const near = nearField(name);
    if (near !== null && !names.includes(near.field)) return { field: near.field, name: shownName(name) };
  }
  return null;
}

/** A field that is there, and once more in another spelling. */
export interface RespeltField extends MisnamedField {
  /** Place of the other spelling among the names. */
  readonly position: number;
}

/**
 * The first name that repeats a present field in another case, or with other spaces, `_`, `-` or invisible characters.
 */
export function respeltField(names: readonly string[]): RespeltField | null {
  for (const [position, name] of names.entries()) {
    if (isField(name)) continue;
    const near = nearField(name);
    if (near?.isSame && names.includes(near.field)) return { field: near.field, name: shownName(name), position };
  }
  return null;
}

interface NearField {
  readonly field: Field;
  /** The name without what `fold` removes. */
  readonly isSame: boolean;
}

/** Names that are remembered. A feed has the same few in all its lines; beyond this they are hostile, and forgotten. */
const MAX_REMEMBERED = 512;
/** No name that is longer can be near one of a field. */
const MAX_NEAR_CHARS = 32;
const nearFields = new Map<string, NearField | null>();

/** The lines of an upload have the same names, so what is found out of one is remembered. */
function nearField(name: string): NearField | null {
  if (name.length > MAX_NEAR_CHARS) return null;
  const known = nearFields.get(name);
  if (known !== undefined) return known;
  const found = findNearField(fold(name));
  if (nearFields.size >= MAX_REMEMBERED) nearFields.clear();
  nearFields.set(name, found);
  return found;
}

function findNearField(folded: string): NearField | null {
  if (OTHER_WORDS.has(folded)) return null;
  const same = FOLDED_FIELDS.find(([name]) => name === folded);
  if (same !== undefined) return { field: same[1], isSame: true };
  for (const [name, field] of FOLDED_FIELDS) {
    const slips = name.length >= LONG_NAME_LETTERS ? MAX_SLIPS : 1;
    if (!NEVER_NEAR.has(field) && isWithin(name, folded, slips)) return { field, isSame: false };
  }
  return null;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[\s\p{Cf}_-]/gu, '');
}

/** Whether so many insertions, deletions, replacements and swaps of neighbours make one text of the other. */
function isWithin(a: string, b: string, slips: number): boolean {
  if (Math.abs(a.length - b.length) > slips) return false;
  if (a === b) return true;
  if (slips === 0) return false;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const [restA, restB] = [a.slice(at), b.slice(at)];
  const isSwapped = restA.length > 1 && restA[0] === restB[1] && restA[1] === restB[0];
  return (
    isWithin(restA.slice(1), restB.slice(1), slips - 1) ||
    isWithin(restA.slice(1), restB, slips - 1) ||
    isWithin(restA, restB.slice(1), slips - 1) ||
    (isSwapped && isWithin(restA.slice(2), restB.slice(2), slips - 1))
  );
}

/** UTF-16 code units of a shown name at most: so many characters, and an ellipsis. */
export const MAX_SHOWN_NAME_CHARS = 81;
const MAX_SHOWN_POINTS = 40;
/** A word or a few, as feeds name their fields. */
const PLAIN_NAME = /^[\p{L}\p{M}\p{N}_\-.$# ]+$/u;
/** Text that can only be the name of a field, and not a person's name or an address, in any script. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const MAX_IDENTIFIER_DIGITS = 4;

/**
 * The name of a field as a message may show it: in a feed without a header it may be a number, in others a link. Digits
 * become `#`; in a name that is no word, letters become `a` and control characters `?`.
 */
export function shownName(name: string): string {
  const trimmed = name.trim().toWellFormed();
  return masked(trimmed, PLAIN_NAME.test(trimmed));
}

/** The same for a receipt, which is kept: letters stay in identifiers only, since other names may be somebody's. */
export function keptName(name: string): string {
  const trimmed = name.trim().toWellFormed();
  const digits = trimmed.replace(/\P{N}/gu, '').length;
  return masked(trimmed, IDENTIFIER.test(trimmed) && digits <= MAX_IDENTIFIER_DIGITS);
}

/** Digits as `#`, letters as `a`, and what nobody sees or what parts lines as `?`: what is left still shows what is wrong. */
export function shapeOfText(text: string): string {
  return digitless(text)
    .replace(/[\p{L}\p{M}]/gu, 'a')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

function digitless(text: string): string {
  return text.replace(/\p{N}/gu, '#');
}

function masked(trimmed: string, areLettersShown: boolean): string {
  const shown = areLettersShown ? digitless(trimmed) : shapeOfText(trimmed);
  const points = [...shown];
  return points.length <= MAX_SHOWN_POINTS ? shown : `${points.slice(0, MAX_SHOWN_POINTS).join('')}…`;
}
