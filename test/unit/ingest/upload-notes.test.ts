import { expect, test } from 'vitest';
import { MAX_IGNORED_FIELDS, MORE_IGNORED, UploadNotes } from '../../../src/ingest/accept.ts';

test('counts what accepted lines left out: absent, null or blank', () => {
  const notes = new UploadNotes();
  notes.accept({ number: '1' });
  notes.accept({ label: 'a', channel: ' ', observedAt: null });
  notes.accept({ label: 'a', channel: 'b', observedAt: '2025-01-01' });
  expect(notes.finish().defaulted).toEqual({ label: 1, channel: 2, observedAt: 2 });
});

test('names what was passed over once, in the order of its coming', () => {
  const notes = new UploadNotes();
  notes.names(['number', 'b', 'label', 'a', ' ']);
  notes.names(['a', 'c', 'b']);
  expect(notes.finish().ignoredFields).toEqual(['b', 'a', 'c']);
});

test('names that may be of somebody are masked, and those of one form are all one', () => {
  const notes = new UploadNotes();
  notes.names(['jane.doe@example.com', 'john.roe@example.com', 'comment', 'Jane Doe']);
  expect(notes.finish().ignoredFields).toEqual(['aaaa.aaa@aaaaaaa.aaa', 'comment', 'aaaa aaa']);
});

test('numbers in the place of names are all one', () => {
  const notes = new UploadNotes();
  for (let i = 0; i < 1000; i++) notes.names([`4477009${String(i).padStart(5, '0')}`]);
  expect(notes.finish().ignoredFields).toEqual(['############']);
});

test('a bound on how many, and the last says that there were more', () => {
  const words = Array.from({ length: 26 * 26 }, (_, i) => String.fromCharCode(97 + Math.floor(i / 26), 97 + (i % 26)));
  const exactly = new UploadNotes();
  exactly.names(words.slice(0, MAX_IGNORED_FIELDS));
  exactly.names(words.slice(0, MAX_IGNORED_FIELDS));
  expect(exactly.finish().ignoredFields).toEqual(words.slice(0, MAX_IGNORED_FIELDS));
  const more = new UploadNotes();
  for (const word of words) more.names([word]);
  expect(more.finish().ignoredFields).toEqual([...words.slice(0, MAX_IGNORED_FIELDS), MORE_IGNORED]);
});
