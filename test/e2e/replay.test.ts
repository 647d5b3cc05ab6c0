import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROJECT } from '../../scripts/command/paths.ts';
import { ADMIN_KEY } from './call.ts';
import { ExpectedInventory, unlistedNumbers } from './expected.ts';
import { type LocalServer, startServer } from './local-server.ts';
import { run } from './run.ts';

const DATA = join(PROJECT, '..', 'shared', 'data');
const INVENTORY = join(DATA, 'inventory-2025-02-28.tsv.gz');
const DETECTIONS = join(DATA, 'detections-2025-03-01_2025-08-31.tsv.gz');
const SET = 'label=public_sms_receiver,channel=public_receiver';
const isThere = existsSync(INVENTORY) && existsSync(DETECTIONS);
if (!isThere) console.warn(`replay of real detections skipped: ${DATA} is not there`);

const state = mkdtempSync(join(tmpdir(), 'ringfence-replay-'));
const expected = new ExpectedInventory();
let server: LocalServer;
let lines = 0;

const rowsOf = (path: string) => gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');

async function importFile(path: string, map: string): Promise<string> {
  const args = [path, '--url', server.url, '--map', map, '--set', SET];
  const { code, out, err } = await run('scripts/import.ts', args, { cwd: state, env: { RINGFENCE_KEY: ADMIN_KEY } });
  expect(code, err).toBe(0);
  return out;
}

/** A count of the import's summary. */
function countIn(summary: string, name: string): number {
  return Number(new RegExp(`^ +${name} +([0-9,]+)$`, 'm').exec(summary)?.[1]?.replaceAll(',', ''));
}

describe.runIf(isThere)('the real detections, replayed', () => {
  beforeAll(async () => {
    server = await startServer(state, ['--empty']);
  }, 60_000);

  afterAll(async () => {
    await server.stop();
    rmSync(state, { recursive: true });
  }, 30_000);

  test('every line of both files is accepted or rejected with a reason', async () => {
    const inventory = rowsOf(INVENTORY);
    for (const row of inventory) {
      const [digits = '', first = '', last = '', sightings = ''] = row.split('\t');
      expected.add(digits, first, last, Number(sightings));
    }
    const inventoryRejected = expected.rejected;
    const detections = rowsOf(DETECTIONS);
    for (const row of detections) {
      const [time = '', digits = ''] = row.split('\t');
      const day = new Date(time).toISOString().slice(0, 10);
      expected.add(digits, day, day, 1);
    }
    lines = inventory.length + detections.length;

    const first = await importFile(INVENTORY, 'number=1,firstSeen=2,observedAt=3,sightings=4');
    expect(countIn(first, 'lines read')).toBe(inventory.length);
    expect(countIn(first, 'rejected')).toBe(inventoryRejected);
    expect(countIn(first, 'accepted')).toBe(inventory.length - inventoryRejected);
    await server.tick();
    const second = await importFile(DETECTIONS, 'observedAt=1,number=2');
    expect(countIn(second, 'lines read')).toBe(287_139);
    expect(countIn(second, 'accepted') + countIn(second, 'rejected')).toBe(287_139);
    expect(countIn(second, 'rejected')).toBe(expected.rejected - inventoryRejected);
    const rejects = readFileSync(join(state, 'detections-2025-03-01_2025-08-31.tsv.gz.rejects.csv'), 'utf8');
    expect(rejects.trimEnd().split('\n')).toHaveLength(1 + expected.rejected - inventoryRejected);
    console.info(`replay: ${lines} lines, ${expected.rejected} rejected`);
  }, 120_000);

  test('a second import of the same file counts nothing twice', async () => {
    const again = await importFile(DETECTIONS, 'observedAt=1,number=2');
    expect(again).toContain('already imported, nothing sent');
    expect(countIn(again, 'lines read')).toBe(287_139);
    // Without its notes on progress it sends everything again, and the server counts nothing of it.
    rmSync(join(state, '.ringfence'), { recursive: true });
    expect(countIn(await importFile(DETECTIONS, 'observedAt=1,number=2'), 'lines read')).toBe(287_139);
  }, 60_000);

  test('every valid number is known, with exact dates and sightings or as expired, by few runs', async () => {
    for (let i = 0; i < 20; i++) await server.tick();
    const status = await server.call('/v1/status');
    expect(status).toMatchObject({
      inventory: { numbers: expected.numbers.size },
      waiting: { batches: 0, detections: 0 },
    });
    const day = new Date().toISOString().slice(0, 10);
    const answers = await server.lookupAll([...expected.numbers.keys()]);
    expect(answers).toHaveLength(expected.numbers.size);
    expect(expected.differences(answers, day)).toEqual([]);
    console.info(`replay: ${answers.length} numbers answered exactly`);
  }, 120_000);

  test('none of 10,000 random valid numbers that are not in it is listed', async () => {
    const answers = await server.lookupAll(unlistedNumbers(10_000, expected, 7));
    expect(answers.filter(({ verdict }) => verdict !== 'clear' && verdict !== 'suspect')).toEqual([]);
  }, 60_000);
});
