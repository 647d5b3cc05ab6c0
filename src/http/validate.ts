import type * as v from 'valibot';
import { validate } from '../lib/validate.ts';
import { Problem } from './problem.ts';

/**
 * Checks a value a client sent.
 * @throws Problem `invalid-request` naming the first field at fault and what was expected of it, not what it held
 */
export function parse<const Schema extends v.GenericSchema>(schema: Schema, value: unknown): v.InferOutput<Schema> {
  const checked = validate(schema, value);
  if (checked.ok) return checked.value;
  const { field, expected } = checked;
  throw new Problem('invalid-request', `${field}: ${expected}`, { members: { field } });
}
