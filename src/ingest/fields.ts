/** The fields of a line (API.md, Detections). Any other field of a feed is ignored. */
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
const FIELD_BY_FOLDED_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [fold(field), field]));

/** A name that stands where a field should: `name` is the field's own, but for case, spaces, `_` or `-`. */
export interface MisnamedField {
  readonly field: Field;
  readonly name: string;
}

/**
 * The first name that is nearly that of a field which is not there itself. Ignoring `observed_at` would quietly date
 * every detection today, so it is refused instead.
 */
export function misnamedField(names: readonly string[]): MisnamedField | null {
  for (const name of names) {
    if (isField(name)) continue;
    const field = FIELD_BY_FOLDED_NAME.get(fold(name));
    if (field !== undefined && !names.includes(field)) return { field, name };
  }
  return null;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}
