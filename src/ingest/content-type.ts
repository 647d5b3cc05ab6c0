import { BodyError } from './errors.ts';

export type BodyFormat = 'ndjson' | 'json' | 'csv';

export interface BodyEncoding {
  readonly format: BodyFormat;
  readonly gzip: boolean;
}

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ['application/x-ndjson', 'ndjson'],
  ['application/json', 'json'],
  ['text/csv', 'csv'],
]);

/** The Content-Types that clients send if none was chosen. */
const FORMS: ReadonlyMap<string, string> = new Map([
  [
    'application/x-www-form-urlencoded',
    ', which is what curl -d says unless told otherwise: name the type with -H, and send a file with --data-binary @FILE',
  ],
  ['multipart/form-data', ': send the file itself as the body, with curl --data-binary @FILE'],
]);

/**
 * Reads the headers that say how an upload is written.
 * @throws BodyError `unsupported-media-type` for anything but UTF-8 NDJSON, JSON or CSV, plain or gzip
 */
export function bodyEncoding(contentType: string | null, contentEncoding: string | null): BodyEncoding {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const format = FORMATS.get(type);
  if (format === undefined) {
    const expected = [...FORMATS.keys()].join(', ');
    const advice = FORMS.get(type) ?? '';
    throw new BodyError('unsupported-media-type', `expected Content-Type ${expected}; found ${quoted(type)}${advice}`);
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset.replaceAll('"', ''))) {
    throw new BodyError('unsupported-media-type', `expected charset utf-8; found ${quoted(charset)}`);
  }
  return { format, gzip: isGzip(contentEncoding) };
}

function isGzip(contentEncoding: string | null): boolean {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return false;
  // RFC 9110, 8.4.1.3: x-gzip is the same thing.
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new BodyError('unsupported-media-type', `expected Content-Encoding gzip or none; found ${quoted(encoding)}`);
}

const MAX_QUOTED_CHARS = 60;
const MAX_QUOTED_DIGITS = 6;

/** The text, unless it has more digits than any media type or charset and so may be a phone number. */
function quoted(found: string): string {
  if (found === '') return 'none';
  return found.replace(/\D/g, '').length > MAX_QUOTED_DIGITS ? 'another' : `"${found.slice(0, MAX_QUOTED_CHARS)}"`;
}
