/**
 * Keys of parts of an object: OBJECT#OFFSET+LENGTH, perhaps with a suffix that says something of the part. Stores read
 * parts like objects of their own; they are written with the object, and deleted with it.
 */

export interface Part {
  /** Key of the object. */
  readonly object: string;
  readonly offset: number;
  readonly length: number;
}

const PART = /^([^#]*)#(\d{1,10})\+(\d{1,10})(?:-[a-z]+)?$/;

export function partKey({ object, offset, length }: Part, suffix = ''): string {
  return `${object}#${offset}+${length}${suffix}`;
}

/** null: it is the key of an object. */
export function partOf(key: string): Part | null {
  if (!key.includes('#')) return null;
  const [, object, offset, length] = PART.exec(key) ?? [];
  return object === undefined ? null : { object, offset: Number(offset), length: Number(length) };
}

/** The key of the object that has what is under the key: itself, but for a part. */
export function objectOf(key: string): string {
  return partOf(key)?.object ?? key;
}

/** Where a range of a part is in its object. Throws RangeError for one that ends beyond the part. */
export function rangeOf(
  part: Part,
  offset: number,
  length: number,
): { readonly offset: number; readonly length: number } {
  if (offset + length > part.length) {
    throw new RangeError(`range ${offset}+${length} is outside of a part of ${part.length} bytes of ${part.object}`);
  }
  return { offset: part.offset + offset, length };
}
