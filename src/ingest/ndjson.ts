import { MAX_LINE_CHARS } from './limits.ts';
import { LineSplitter } from './lines.ts';
import { type BodyReader, isRawLine, kindOf, type LineReceiver, malformed } from './reader.ts';

/** One JSON object a line. Blank lines are skipped; a line that is anything else is rejected by itself. */
export function ndjsonReader(receiver: LineReceiver): BodyReader {
  return new LineSplitter({
    line(text, line) {
      if (text.trim() === '') return;
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        // The parser's own message quotes the text, and so perhaps the number.
        receiver.reject(malformed(line, `expected a JSON object; found ${text.length} characters that are not JSON`));
        return;
      }
      if (isRawLine(value)) receiver.raw(value, line);
      else receiver.reject(malformed(line, `expected a JSON object; found ${kindOf(value)}`));
    },
    overlong(line) {
      receiver.reject(malformed(line, `expected at most ${MAX_LINE_CHARS} characters; found more`));
    },
  });
}
