/** A small object that changes by hand: a frame (frame.ts) around JSON, checked by a schema. */
import * as v from 'valibot';
import { type Bytes, FormatError, frame, openFrame } from './frame.ts';
import { decodeText, parseJson } from './text.ts';

export interface FramedJson<T> {
  encode(value: T): Bytes;
  /** @throws FormatError unless the bytes are such an object */
  decode(bytes: Bytes): T;
}

/** @param magic four characters of ASCII */
export function framedJson<const Schema extends v.GenericSchema>(
  magic: string,
  version: number,
  schema: Schema,
): FramedJson<v.InferOutput<Schema>> {
  return {
    encode: (value) => frame(magic, version, new TextEncoder().encode(JSON.stringify(value))),
    decode(bytes) {
      const parsed = v.safeParse(schema, parseJson(decodeText(openFrame(bytes, magic, version), magic), magic));
      if (parsed.success) return parsed.output;
      const [issue] = parsed.issues;
      throw new FormatError(
        `${magic}: ${v.getDotPath(issue) ?? 'body'}: expected ${issue.expected ?? 'another value'}`,
      );
    },
  };
}
