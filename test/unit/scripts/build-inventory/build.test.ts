import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rebuild } from '../../../../scripts/fsck/rebuild.ts';
import type { Detection } from '../../../../src/format/attributes.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { actualActivity, expectedActivity } from '../../../support/activity.ts';
import { detection } from '../../../support/detections.ts';
import { actualInventory, batchPlaces, compactedBytes, expectedInventory, newWorld } from '../../../support/world.ts';
import { checked, lookAt } from '../fsck/support.ts';
import { Bench, csvOf, importable, mergedByTicks, NUMBER_SHAPE, ndjsonOf, someRows } from './support.ts';

const bench = new Bench();

/** Whole ten-thousand-blocks, parts of others, and single numbers far apart: every way that a segment can end. */
function manyBlocks(): Detection[] {
  const [template] = someRows(1, 1);
  if (template === undefined) throw new Error('no template');
  const areas = [201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217];
  const numbers = areas.flatMap((area, i) => {
    const step = i < 9 ? 1 : i;
    return Array.from(
      { length: Math.floor(10_000 / step) },
      (_, j) => 10_000_000_000 + area * 1e7 + 555_0000 + j * step,
    );
  });
  return numbers.map((number, i) => ({
    ...template,
    number,
    channel: (['otp_marketplace', 'api_receiver'] as const)[i % 2] ?? 'other',
    observedAt: template.observedAt + (i % 1000) * 1000,
    sightings: 1 + (i % 5),
  }));
}

describe('a bulk build', () => {
  test('holds what its rows say, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(detection, { minLength: 1, maxLength: 120 }), async (some) => {
        // The project with a line separator in quotes is read like any other; links are not known, only their digests.
        const detections = some.map(importable);
        const world = newWorld();
        const summary = await bench.build(world, bench.request([bench.file('a.csv', csvOf(detections))]));
        expect(await actualActivity(world.objects)).toEqual(expectedActivity(detections));
        expect(await actualInventory(world.objects)).toEqual(expectedInventory(detections));
        expect(summary).toMatchObject({ rows: detections.length, accepted: detections.length, rejectsPath: null });
        expect(world.storeLog.violations).toEqual([]);
        expect(bench.left()).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('gives the bytes of ticks and compactions, over several segments and every kind of cut', async () => {
    const detections = manyBlocks();
    const shuffled = detections.toSorted((a, b) => (a.number % 7919) - (b.number % 7919));
    const world = newWorld();
    const path = bench.file('blocks.csv', csvOf(shuffled));
    const summary = await bench.build(world, bench.request([path], { rangeBytes: 1_000_000, maxBatchRows: 9_000 }));
    const expected = await mergedByTicks(detections);
    expect(await compactedBytes(world.objects)).toEqual(await compactedBytes(expected.objects));
    expect(await actualActivity(world.objects)).toEqual(expectedActivity(detections));
    expect(summary.segments).toBeGreaterThan(1);
    expect(summary.numbers).toBe(detections.length);
    const { manifest } = await loadManifest(world.objects);
    expect(manifest.runs.map(({ newNumbers }) => newNumbers)).toEqual([detections.length]);
    expect(manifest.lastTick).toMatchObject({ detections: detections.length, newNumbers: detections.length });
  });

  test.each([
    ['a lone CR ends every line', '\r', '\r'],
    ['the header ends with LF, and rows with CR', '\n', '\r'],
    ['a CR ends one line of many', '\n', '\n'],
  ])('reads lines as the import does, where %s', async (_, first, others) => {
    const rows = [
      '+12025550101,2025-01-01',
      '+12025550102,2025-01-02',
      '+12025550103,2025-01-03\r+12025550104,2025-01-04',
    ];
    const world = newWorld();
    const path = bench.file('old.csv', ['number,observedAt', rows.join(others)].join(first));
    const summary = await bench.build(world, bench.request([path]));
    expect(summary).toMatchObject({ accepted: 4, rejectedByCode: {} });
  });

  test('costs one bad row one row, whatever parts lines in it', async () => {
    const parting = ['\u2028', '\u2029', '\u0085', '\v'];
    const rows = parting.map((char) => `+12025550102,2025${char}01\n`);
    const path = bench.file('parted.csv', `number,observedAt\n+12025550101,2025-01-01\n${rows.join('')}`);
    const summary = await bench.build(newWorld(), bench.request([path]));
    expect(summary).toMatchObject({ accepted: 1, rejectedByCode: { 'invalid-date': parting.length } });
    const rejects = readFileSync(bench.rejectsPath, 'utf8').trimEnd().split('\n');
    expect(rejects.slice(1).every((line) => line.includes('found ""####?##""'))).toBe(true);
    expect(rejects).toHaveLength(1 + parting.length);
  });

  test('is sound to fsck, and rebuilt from its batches to the same bytes', async () => {
    const world = newWorld();
    await bench.build(world, bench.request([bench.file('a.csv', csvOf(someRows(900, 3)))]));
    const { findings, problems } = await checked(world);
    expect(problems).toEqual([]);
    expect(findings.isSound).toBe(true);
    const target = newWorld();
    await rebuild(world.objects.memory, target, lookAt(world).progress);
    expect(await compactedBytes(target.objects)).toEqual(await compactedBytes(world.objects));
  });

  test('reads CSV, NDJSON and gzip, LF and CRLF, several files, and counts a row in two files twice', async () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((seed) => someRows(150, seed)) as [
      Detection[],
      Detection[],
      Detection[],
      Detection[],
    ];
    const files = [
      bench.file('a.csv', csvOf(a, '\r\n')),
      bench.file('b.ndjson', ndjsonOf(b)),
      bench.file('c.csv.gz', gzipSync(csvOf(c))),
      bench.file('d.jsonl.gz', gzipSync(ndjsonOf(d))),
      bench.file('a-again.csv', `\ufeff${csvOf(a)}`),
      bench.file('e.json', `[${ndjsonOf(b).trim().split('\n').join(',')}]`),
    ];
    const world = newWorld();
    await bench.build(world, bench.request(files));
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...a, ...b, ...c, ...d, ...a, ...b]));
  });

  test('reads a file with a record over several lines as a whole, and as the import does', async () => {
    const detections = someRows(300, 5).map((one, i) => (i === 200 ? { ...one, project: 'two\nlines' } : one));
    const world = newWorld();
    const summary = await bench.build(world, bench.request([bench.file('lines.csv', csvOf(detections))]));
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(detections.toSpliced(200, 1)));
    // The line break is a control character, which no project may have: one row of 300.
    expect(summary).toMatchObject({ rows: 300, accepted: 299, rejectedByCode: { 'invalid-text': 1 } });
    expect(readFileSync(bench.rejectsPath, 'utf8')).toContain('\nlines.csv,202,invalid-text,');
  });

  test('costs a bad row that row, and lists it with its line and never its number', async () => {
    const good = someRows(400, 6);
    const lines = csvOf(good).split('\n');
    lines.splice(350, 0, '+12025550,,2025-05-17,1,,,,,,', 'one field only', '');
    lines.splice(100, 0, '+12025550123,,2025-05-17,1,nobody,,,,,');
    const world = newWorld();
    const path = bench.file('bad.csv', lines.join('\n'));
    const summary = await bench.build(world, bench.request([path, bench.file('more.ndjson', '{}\n[]\nnot json\n')]));
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(good));
    expect(summary.rows).toBe(406);
    expect(summary.rejectedByCode).toEqual({ 'unknown-label': 1, 'invalid-number': 2, 'malformed-line': 3 });
    const rejects = readFileSync(bench.rejectsPath, 'utf8');
    expect(rejects.split('\n').map((line) => line.split(',').slice(0, 3).join(','))).toEqual([
      'file,line,code',
      'bad.csv,101,unknown-label',
      'bad.csv,352,invalid-number',
      'bad.csv,353,malformed-line',
      'more.ndjson,1,invalid-number',
      'more.ndjson,2,malformed-line',
      'more.ndjson,3,malformed-line',
      '',
    ]);
    expect(rejects).not.toMatch(NUMBER_SHAPE);
    expect(bench.output.join('')).not.toMatch(NUMBER_SHAPE);
  });

  test('dates rows without a date with the date given, or that of their file', async () => {
    const world = newWorld();
    const request = bench.request([bench.file('undated.csv', 'number\n+12025550123\n')], { observedAt: '2025-04-01' });
    expect((await bench.build(world, request)).undated).toBe(1);
    const [record] = (await actualInventory(world.objects)).values();
    expect(record?.lastDay).toBe(Date.UTC(2025, 3, 1) / 86_400_000);
  });

  test('maps and sets fields as the import does', async () => {
    const world = newWorld();
    const mapping = { map: { number: '2', observedAt: '1' }, set: { label: 'reported_abuse' } };
    const path = bench.file('foreign.tsv', '2025-04-01\t+12025550123\n2025-04-02\t+12025550124\n');
    await bench.build(world, bench.request([path], { mapping }));
    const profiles = [...(await actualInventory(world.objects)).values()].map(({ profile }) => profile);
    expect(profiles).toEqual(Array(2).fill('[["reported_abuse"],["other"],[]]'));
  });

  test('keeps each batch once, among the merged ones, and two files with the same rows as two', async () => {
    const world = newWorld();
    const files = ['a.csv', 'copy.csv'].map((name) => bench.file(name, csvOf(someRows(300, 7))));
    const summary = await bench.build(world, bench.request(files));
    const { waiting, merged } = await batchPlaces(world.objects.memory);
    expect(waiting).toEqual([]);
    expect(merged).toHaveLength(summary.batches);
    expect(summary.batches).toBeGreaterThan(10);
    expect((await checked(world)).problems).toEqual([]);
  });
});
