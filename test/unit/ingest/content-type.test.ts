import { expect, test } from 'vitest';
import { bodyEncoding } from '../../../src/ingest/decode.ts';

test.each([
  ['application/x-ndjson', null, 'ndjson', false],
  ['application/json; charset=utf-8', null, 'json', false],
  ['application/json;charset="UTF-8"', '', 'json', false],
  ['Text/CSV; header=present; charset=utf-8', 'identity', 'csv', false],
  ['text/csv', 'GZIP', 'csv', true],
  ['text/csv', 'x-gzip', 'csv', true],
])('%s with encoding %s is %s, gzip %s', (type, encoding, format, gzip) => {
  expect(bodyEncoding(type, encoding)).toEqual({ format, gzip });
});

test.each([
  [null, null, 'found none'],
  ['text/plain', null, 'found "text/plain"'],
  ['application/x-www-form-urlencoded', null, '--data-binary @FILE'],
  ['multipart/form-data; boundary=x', null, '--data-binary @FILE'],
  ['application/json; charset=latin1', null, 'expected charset utf-8; found "latin1"'],
  ['text/csv', 'br', 'expected Content-Encoding gzip or none; found "br"'],
  ['text/csv', 'gzip, gzip', 'found "gzip, gzip"'],
])('%s with encoding %s is refused', (type, encoding, detail) => {
  expect(() => bodyEncoding(type, encoding)).toThrow(
    expect.objectContaining({ code: 'unsupported-media-type', detail: expect.stringContaining(detail) }),
  );
});
