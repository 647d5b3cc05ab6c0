import { repeatedName } from '../format/json-names.ts';
import { readBounded } from '../lib/http-body.ts';
import { shownField } from '../lib/validate.ts';
import { Problem } from './problem.ts';

/** A lookup has a few hundred bytes, a key or a rollback likewise; 4,096 characters of a padded number fit in as UTF-8. */
export const MAX_SMALL_BODY_BYTES = 16 * 1024;
/** A hundred rules of two thousand characters, escaped; a thousand numbers to try them on. */
export const MAX_POLICY_BODY_BYTES = 512 * 1024;
/** 1,000 numbers of 128 characters, escaped: more than any real batch, whose numbers take about 16 bytes each, without padding. */
export const MAX_BATCH_BODY_BYTES = 1024 * 1024;

/**
 * The JSON value in the body of a request, whatever its Content-Type says.
 * @throws Problem `payload-too-large`, or `invalid-request` if it is not JSON, or a field is given twice in it
 */
export async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > maxBytes) throw tooLarge(maxBytes);
  // With a length declared the platform sees to it that the body has it; without one we count.
  const text = declared === null ? await readText(request.body, maxBytes) : await request.text().catch(brokenOff);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and so perhaps the number.
    throw invalidBody('expected JSON');
  }
  const repeated = repeatedName(text, value);
  if (repeated === null) return value;
  const field = shownField(repeated);
  throw new Problem('invalid-request', `${field}: expected once; found twice`, { members: { field } });
}

async function readText(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<string> {
  const bytes = await readBounded(body, maxBytes).catch(brokenOff);
  if (bytes === null) throw tooLarge(maxBytes);
  return new TextDecoder().decode(bytes);
}

/** A body fails to arrive only by the client's doing; most of the time nobody is there to read this. */
function brokenOff(): never {
  throw invalidBody('expected a whole body');
}

function invalidBody(expected: string): Problem {
  return new Problem('invalid-request', `body: ${expected}`, { members: { field: 'body' } });
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('payload-too-large', `body: expected at most ${maxBytes} bytes`);
}
