import { expect, test } from 'vitest';
import { namesEtag, parseRange } from '../../../src/replica/feed.ts';

test.each([
  ['bytes=0-0', { offset: 0, length: 1 }],
  ['bytes=0-9', { offset: 0, length: 10 }],
  ['bytes=3-', { offset: 3, length: 7 }],
  ['bytes=3-99', { offset: 3, length: 7 }],
  ['BYTES= 3-4 ', { offset: 3, length: 2 }],
  ['bytes=-4', { offset: 6, length: 4 }],
  ['bytes=-99', { offset: 0, length: 10 }],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-12', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  [null, null],
  ['', null],
  ['bytes=-', null],
  ['bytes=', null],
  ['bytes=4-3', null],
  ['bytes=12-11', null],
  ['bytes=0-1,3-4', null],
  ['bytes=a-b', null],
  ['bytes=1.5-2', null],
  ['items=0-1', null],
  ['bytes=0-1234567890123456', null],
])('of 10 bytes %s asks for %o', (header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected);
});

test.each([
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b",W/"a" ', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
  ['', false],
  [null, false],
])('If-None-Match: %s', (header, expected) => {
  expect(namesEtag(header, '"a"')).toBe(expected);
});
