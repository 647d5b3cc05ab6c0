import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { PROJECT } from '../../scripts/command/paths.ts';
import { type LocalServer, startServer } from './local-server.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-build-e2e-'));
const state = join(folder, 'state');
const ROWS = 40_000;
/** A fixed year would one day be beyond the horizon (docs/AGEING.md). */
const LAST_YEAR = new Date().getUTCFullYear() - 1;
/** Reserved for fiction: 555-0100 to 555-0199 of any area code. */
const numberOf = (i: number) =>
  `+1${[212, 213, 214, 215][i % 4]}55501${String(Math.floor(i / 4) % 100).padStart(2, '0')}`;
let server: LocalServer | undefined;

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
}, 30_000);

const build = (...args: readonly string[]) => run('scripts/build-inventory.ts', args, { cwd: folder });

describe('npm run build-inventory', () => {
  test('builds into a state folder, lists what it rejects, and leaves no work behind', async () => {
    const rows = Array.from(
      { length: ROWS },
      (_, i) => `${numberOf(i)},${LAST_YEAR}-05-${10 + (i % 20)},otp_marketplace,modem_pool_card`,
    );
    rows[7] = `+1212555,${LAST_YEAR}-05-10,otp_marketplace,modem_pool_card`;
    writeFileSync(join(folder, 'list.csv'), `number,observedAt,channel,label\n${rows.join('\n')}\n`);
    const { code, out, err } = await build('list.csv', '--state', state);
    expect(err).toBe('');
    expect(out).toMatch(/^built generation 2\n/);
    expect(out).toMatch(/\n {2}accepted +39,999\n {2}rejected +1\n {4}invalid-number +1\n {2}distinct numbers +400\n/);
    expect(code).toBe(1);
    expect(readFileSync(join(folder, 'build.rejects.csv'), 'utf8')).toMatch(/\nlist\.csv,9,invalid-number,/);
    expect(existsSync(join(folder, '.ringfence', 'build'))).toBe(false);
  }, 60_000);

  test('whose store is sound', async () => {
    const { code, out } = await run('scripts/fsck.ts', ['--state', state, '--verify-batches']);
    expect(out).toContain('generation 2, 400 numbers in 1 run');
    expect(out).toContain('The store is sound.');
    expect(code).toBe(0);
  }, 60_000);

  test('is served by npm start, and takes new detections on top', async () => {
    server = await startServer(state);
    const [listed, clear] = await server.lookupAll([numberOf(0), '+12165550100']);
    expect(listed).toMatchObject({ verdict: 'listed', channels: ['otp_marketplace'], sightings: 100 });
    expect(listed).toMatchObject({ firstSeen: `${LAST_YEAR}-05-10`, neighbourhood: { hundred: 99, thousand: 99 } });
    expect(clear?.verdict).toBe('clear');
    await server.call('/v1/detections', [{ number: numberOf(0), observedAt: `${LAST_YEAR}-06-01` }]);
    await server.tick();
    const status = await server.call('/v1/status');
    expect(status).toMatchObject({ generation: 3, inventory: { numbers: 400 }, lastTick: { newNumbers: 0 } });
    await server.stop();
    server = undefined;
  }, 60_000);

  test('refuses a store that has an inventory', async () => {
    const { code, err } = await build('list.csv', '--state', state);
    expect(err).toMatch(/^store-not-empty: the store has an inventory already, generation 3: /);
    expect(code).toBe(2);
  }, 60_000);

  test('stopped, says how to go on, and goes on', async () => {
    const rows = Array.from({ length: 10 * ROWS }, (_, i) => `${numberOf(i)},${LAST_YEAR}-05-${10 + (i % 20)}`);
    writeFileSync(join(folder, 'long.csv'), `number,observedAt\n${rows.join('\n')}\n`);
    const other = ['long.csv', '--state', join(folder, 'other'), '--work', join(folder, 'other-work')];
    const script = join(PROJECT, 'scripts/build-inventory.ts');
    const stopped = spawn(process.execPath, [script, ...other], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    stopped.stderr.on('data', (text) => {
      err += text;
    });
    const ended = once(stopped, 'close');
    // It has begun to read.
    await vi.waitUntil(() => existsSync(join(folder, 'other-work', 'journal.ndjson')), { timeout: 30_000 });
    stopped.kill('SIGINT');
    expect((await ended)[0]).toBe(2);
    expect(err).toMatch(/(^|\n)stopped: the same command goes on from here\n$/);
    expect((await build(...other)).out).toMatch(/\n {2}distinct numbers +400\n/);
  }, 90_000);

  test('says what is wrong with the command line', async () => {
    expect(await build()).toMatchObject({
      code: 2,
      err: 'name at least one file; --help lists the options\n',
    });
    expect((await build('--help')).out).toContain('npm run build-inventory -- FILE...');
  }, 60_000);
});
