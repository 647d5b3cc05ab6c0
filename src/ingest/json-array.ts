import { BodyError } from './errors.ts';
import { isField } from './fields.ts';
import { JsonElements } from './json-elements.ts';
import { repeatedField } from './ndjson.ts';
import { type BodyReader, isRawLine, kindOf, type LineReceiver, malformed } from './reader.ts';

/**
 * A JSON array of objects; an element that is not an object is rejected by itself. Unlike a bad line of NDJSON, text
 * that is not JSON makes the whole body invalid: where the next element starts would be a guess.
 */
export function jsonArrayReader(receiver: LineReceiver): BodyReader {
  return new JsonElements((element) => {
    if ('problem' in element) {
      receiver.reject(malformed(element.index, element.problem));
      return;
    }
    const value = parseElement(element.text, element.index);
    const problem = repeatedField(element.text, value, isField);
    if (problem !== null) receiver.reject(malformed(element.index, problem));
    else if (isRawLine(value)) receiver.raw(value, element.index);
    else receiver.reject(malformed(element.index, `expected an object; found ${kindOf(value)}`));
  });
}

function parseElement(text: string, index: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and so perhaps the number.
    throw new BodyError('invalid-body', `expected one JSON array; element ${index} is not JSON`);
  }
}
