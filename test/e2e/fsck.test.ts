import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLocalStore } from '../../scripts/command/local-store.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { partOf } from '../../src/storage/parts.ts';
import { type Answer, type LocalServer, startServer } from './local-server.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-fsck-e2e-'));
const state = join(folder, 'state');
const rebuiltState = join(folder, 'rebuilt');

/** 555-0100 to 555-0199 of any area code are reserved for fiction. */
const numberOf = (i: number) => `+1${202 + Math.floor(i / 100)}55501${String(i % 100).padStart(2, '0')}`;
/** A fixed year would one day be beyond the horizon (docs/AGEING.md). */
const LAST_YEAR = new Date().getUTCFullYear() - 1;
const UPLOADS = [0, 1, 2, 3].map((upload) =>
  Array.from({ length: 80 }, (_, i) => ({
    number: numberOf(upload * 50 + i),
    observedAt: `${LAST_YEAR}-0${upload + 1}-15`,
    label: 'modem_pool_card',
    channel: 'otp_marketplace',
    project: `project ${i % 7}`,
  })),
);
const ASKED = Array.from({ length: 260 }, (_, i) => numberOf(i));

let server: LocalServer | undefined;
let answers: readonly Answer[];
let lookupKey: string;

const fsck = (...args: readonly string[]) => run('scripts/fsck.ts', args, { cwd: folder });

async function stopServer(): Promise<void> {
  await server?.stop();
  server = undefined;
}

/** Answers without the generation, which counts a store's own ticks. */
async function ask({ lookupAll }: LocalServer): Promise<Answer[]> {
  return (await lookupAll(ASKED)).map((answer) => ({ ...answer, generation: undefined }));
}

beforeAll(async () => {
  server = await startServer(state, ['--empty']);
  ({ key: lookupKey } = (await server.call('/v1/keys', { name: 'sign-up', scopes: ['lookup'] })) as { key: string });
  for (const upload of UPLOADS) {
    await server.call('/v1/detections', upload);
    await server.tick();
  }
  answers = await ask(server);
  expect(answers.filter(({ verdict }) => verdict === 'listed')).toHaveLength(230);
}, 120_000);

afterAll(async () => {
  await stopServer();
  rmSync(folder, { recursive: true });
}, 30_000);

describe('npm run fsck', () => {
  test('does not look at a state folder that a server works on', async () => {
    expect(await fsck('--state', state)).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(
        /^\S+ is in use by npm start \(pid \d+, port \d+\): stop it \(Ctrl-C where it runs, or kill \d+\), or name another --state\n$/,
      ),
    });
  }, 30_000);

  test('finds nothing in the state folder that npm start left', async () => {
    await stopServer();
    const { code, out, err } = await fsck('--state', state, '--verify-batches');
    expect(err).toBe('');
    expect(out).toMatch(/: generation 4, 230 numbers in 1 run\n/);
    expect(out).toMatch(/ {2}API keys +1 {2}ok\n/);
    expect(out).toMatch(/ {2}merged batches +4 {2}ok\n/);
    expect(out).toMatch(/ {2}inventory against its batches +1 {2}ok\n/);
    expect(out).toMatch(/\nThe store is sound\.\n$/);
    expect(code).toBe(0);
  }, 60_000);

  test('leaves the store as it was', async () => {
    server = await startServer(state, ['--empty']);
    expect(await ask(server)).toEqual(answers);
    await stopServer();
  }, 60_000);

  test('rebuilds it from the batches into a state folder that answers the same, with the same API keys', async () => {
    const { code, out } = await fsck('--state', state, '--rebuild', rebuiltState, '--verify-batches');
    expect(out).toContain(`Built ${rebuiltState} from 4 batches: 230 numbers in generation 2.\n`);
    expect(out).toContain('The store is sound.');
    expect(out).toMatch(/\nStart it with: npm start -- --state \S+\n$/);
    expect(code).toBe(0);
    server = await startServer(rebuiltState, ['--empty']);
    expect(await ask(server)).toEqual(answers);
    const response = await fetch(`${server.url}/v1/status`, { headers: { authorization: `Bearer ${lookupKey}` } });
    expect(response.status).toBe(200);
    await response.body?.cancel();
    await stopServer();
  }, 120_000);

  test('does not rebuild into a folder that holds something', async () => {
    const { code, out, err } = await fsck('--state', state, '--rebuild', rebuiltState);
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: `${rebuiltState} is not empty: give a folder that is new\n`,
    });
  }, 60_000);

  test('names what is damaged, and a rebuild heals it', async () => {
    const store = await openLocalStore(state, { command: 'a test', create: false });
    const { manifest } = await loadManifest(store.objects);
    const key = manifest.runs[0]?.segments[0]?.key ?? '';
    const { object, offset, length } = partOf(key) ?? { object: key, offset: 0, length: 0 };
    const bytes = (await store.objects.get(object))?.bytes ?? new Uint8Array();
    const at = offset + length - 130;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await store.objects.put(object, bytes);
    await store.close();

    const { code, out } = await fsck('--state', state);
    expect(code).toBe(1);
    expect(out).toContain(`\nerror: ${key}: `);
    expect(out).toMatch(/ {2}segments in use +1 {2}1 error\n/);
    expect(out).toMatch(/Rebuild the store from its batches/);

    const healed = await fsck('--state', state, '--rebuild', join(folder, 'healed'), '--verify-batches');
    expect(healed.out).toContain('The store is sound.');
    expect(healed.code).toBe(0);
  }, 120_000);

  test('says when there is no store', async () => {
    const { code, err } = await fsck('--state', join(folder, 'nowhere'));
    expect(code).toBe(2);
    expect(err).toBe(`there is no store in ${join(folder, 'nowhere')}: give the folder of npm start with --state\n`);
  }, 30_000);
});
