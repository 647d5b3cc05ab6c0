import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tick } from '../../../../src/merge/tick.ts';
import { newWorld, upload } from '../../../support/world.ts';
import { Bench, csvOf, NUMBER_SHAPE, someRows } from './support.ts';

const bench = new Bench();

async function refusal(files: readonly string[], options = {}, world = newWorld()): Promise<string> {
  const error = await bench.build(world, bench.request(files, options)).catch((reason: Error) => reason);
  if (!(error instanceof Error)) throw new Error('it was not refused');
  expect(error.message).not.toMatch(NUMBER_SHAPE);
  // Nothing of it can be seen in the store.
  expect(world.storeLog.calls.filter((call) => call.startsWith('put') || call.startsWith('kv'))).toEqual([]);
  return error.message;
}

describe('a bulk build refuses', () => {
  test('a file without a header, and says what was expected', async () => {
    const path = bench.file('bare.csv', '+12025550123,2025-05-17\n+12025550124,2025-05-18\n');
    expect(await refusal([path])).toBe(
      'invalid-input: bare.csv: no column is called number (the header has "+###########", "####-##-##"): ' +
        'say which it is with --map number=NAME or number=1',
    );
  });

  test('a misspelled column', async () => {
    expect(await refusal([bench.file('a.csv', 'number,observed_at\n')])).toBe(
      'invalid-input: a.csv: column observed_at looks like observedAt: say --map observedAt=observed_at',
    );
  });

  test('a file that is not there, or whose name does not tell its format', async () => {
    expect(await refusal([join(bench.folder, 'none.csv')])).toMatch(
      /^invalid-input: .*none\.csv: there is no such file$/,
    );
    expect(await refusal([bench.file('a.xlsx', '')])).toMatch(/^invalid-input: a\.xlsx: expected a name that ends in/);
  });

  test('gzip that is cut short', async () => {
    const path = bench.file('cut.csv.gz', Buffer.from('1f8b0800000000000003', 'hex'));
    expect(await refusal([path])).toMatch(/^invalid-input: cut\.csv\.gz: expected whole gzip data/);
  });

  test('files with no row, and leaves nothing behind', async () => {
    const files = [bench.file('empty.csv', ''), bench.file('header.csv', 'number\n'), bench.file('empty.ndjson', '')];
    expect(await refusal(files, { workFolder: join(bench.folder, 'none') })).toBe(
      'no-detections: expected at least one detection, but the files have no rows; nothing was published',
    );
    expect(existsSync(join(bench.folder, 'none'))).toBe(false);
  });

  test('files with no good row', async () => {
    const path = bench.file('bad.csv', 'number\n+1202\n');
    expect(await refusal([path], { workFolder: join(bench.folder, 'none') })).toMatch(
      /^no-detections: .*, but all rows were rejected, see .*rejects\.csv; nothing was published$/,
    );
  });

  test('files with no good row again, after it was stopped while it deleted its work', async () => {
    const path = bench.file('bad.csv', 'number\n+1202\n');
    const workFolder = join(bench.folder, 'left');
    // It cannot be deleted as files are, so the journal stays.
    mkdirSync(join(workFolder, '0-9-9.batch'), { recursive: true });
    const first = await refusal([path], { workFolder });
    const rejects = readFileSync(bench.rejectsPath, 'utf8');
    expect(existsSync(join(workFolder, 'journal.ndjson'))).toBe(true);
    expect(existsSync(join(workFolder, '0-0.rejects'))).toBe(false);
    rmdirSync(join(workFolder, '0-9-9.batch'));
    expect(await refusal([path], { workFolder })).toBe(first);
    expect(readFileSync(bench.rejectsPath, 'utf8')).toBe(rejects);
    expect(existsSync(workFolder)).toBe(false);
  });

  test('a store that has an inventory', async () => {
    const world = newWorld();
    await upload(world, 'b0', someRows(10, 1));
    await tick(world);
    world.storeLog.clear();
    const path = bench.file('a.csv', csvOf(someRows(10, 2)));
    expect(await refusal([path], { workFolder: join(bench.folder, 'none') }, world)).toMatch(
      /^store-not-empty: the store has an inventory already, generation 1: /,
    );
  });

  test('to overwrite an input with the rejects, or to begin without a file', async () => {
    const path = bench.file('a.csv', 'number\n');
    expect(await refusal([path], { rejectsPath: path })).toMatch(/^invalid-request: --rejects: /);
    expect(await refusal([])).toBe('invalid-request: name at least one file');
  });
});
