/** `npm run deploy` on an account that has nothing, everything, a part of it, or the single Worker from before. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandError } from '../../../scripts/command/errors.ts';
import { PROJECT } from '../../../scripts/command/paths.ts';
import { type DeployOptions, deploy } from '../../../scripts/deploy/deploy.ts';
import { FakeCloudflare } from './fake-cloudflare.ts';

const SECRET = 'RINGFENCE_ADMIN_KEY';
const GIVEN = 'an-admin-key-of-more-than-32-characters';
const CRONS = ['* * * * *', '15 0 1,16 * *', '45 0 * * *'];

let folder: string;
let cloudflare: FakeCloudflare;
let said: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringfence-deploy-'));
  cloudflare = new FakeCloudflare();
  said = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(options: Partial<DeployOptions> = {}): void {
  deploy(
    { dryRun: false, newAdminKey: false, adminKey: null, passedOn: [], ...options },
    {
      wrangler: cloudflare.wrangler,
      folder,
      say(text) {
        said += `${text}\n`;
      },
    },
  );
}

/** As the version before deployed it: one Worker, a namespace that wrangler has made, and a key that nobody can read. */
function deploySingleWorker(title = 'ringfence-slices'): void {
  cloudflare.namespaces.push({ id: 'ns-old', title });
  cloudflare.workers.set('ringfence', {
    ...{
      main: 'src/worker.ts',
      version: 'v-old',
      crons: CRONS,
      namespace: 'ns-old',
      bucket: 'ringfence',
      services: [],
    },
    secrets: new Map([[SECRET, 'the-old-one']]),
  });
}

const keysOf = (name: string) => cloudflare.workers.get(name)?.secrets.get(SECRET);

describe('on an account that has nothing', () => {
  it('makes both Workers, one namespace, one bucket and one admin key, the control Worker first', () => {
    run();
    expect(cloudflare.changes).toEqual([
      'kv namespace create ringfence-slices',
      'deploy ringfence-control',
      `secret put ${SECRET} --name ringfence-control`,
      'deploy ringfence',
      `secret put ${SECRET} --name ringfence`,
    ]);
    const edge = cloudflare.workers.get('ringfence');
    const control = cloudflare.workers.get('ringfence-control');
    expect(edge).toMatchObject({ main: join(PROJECT, 'src/edge.ts'), crons: [], services: ['ringfence-control'] });
    expect(control).toMatchObject({ main: join(PROJECT, 'src/control.ts'), crons: CRONS, services: [] });
    expect(new Set([edge?.namespace, control?.namespace])).toEqual(new Set([cloudflare.namespaces[0]?.id]));
    expect([...cloudflare.buckets]).toEqual(['ringfence']);
    const key = keysOf('ringfence');
    expect(key).toMatch(/^rf_admin_[0-9a-f]{48}$/);
    expect(keysOf('ringfence-control')).toBe(key);
    expect(said).toContain(`The admin key, shown this once:\n\n  ${key}\n`);
  });

  it('sets a key that is given, and does not show it', () => {
    run({ adminKey: GIVEN });
    expect([keysOf('ringfence'), keysOf('ringfence-control')]).toEqual([GIVEN, GIVEN]);
    expect(said).not.toContain(GIVEN);
  });

  it('has names of its own with --name, and hands on what stands after --', () => {
    run({ name: 'shop', passedOn: ['--minify'] });
    expect(cloudflare.changes).toContain('deploy --minify shop-control');
    expect([...cloudflare.workers.keys()]).toEqual(['shop-control', 'shop']);
    expect(cloudflare.workers.get('shop')?.services).toEqual(['shop-control']);
    expect(cloudflare.namespaces.map(({ title }) => title)).toEqual(['shop-slices']);
  });

  it.each([{ dryRun: true }, { passedOn: ['--dry-run'] }])('asks and changes nothing in a dry run: %j', (options) => {
    run(options);
    expect(cloudflare.calls).toEqual(['deploy --dry-run ringfence-control', 'deploy --dry-run ringfence']);
    expect([cloudflare.workers.size, cloudflare.namespaces.length]).toEqual([0, 0]);
  });
});

describe('a second time', () => {
  it('makes nothing, and leaves the key as it is, whatever RINGFENCE_ADMIN_KEY says', () => {
    run();
    const before = { key: keysOf('ringfence'), namespaces: [...cloudflare.namespaces] };
    cloudflare.calls.length = 0;
    run({ adminKey: GIVEN });
    expect(cloudflare.changes).toEqual(['deploy ringfence-control', 'deploy ringfence']);
    expect({ key: keysOf('ringfence'), namespaces: cloudflare.namespaces }).toEqual(before);
    expect(said).toContain('The admin key is as it was.');
  });

  it('finds the namespace again that another deployment made, or that somebody makes at the same moment', () => {
    cloudflare.namespaces.push({ id: 'ns-there', title: 'ringfence-slices' });
    run();
    expect(cloudflare.workers.get('ringfence')?.namespace).toBe('ns-there');
    expect(cloudflare.changes).not.toContain('kv namespace create ringfence-slices');

    const other = new FakeCloudflare();
    cloudflare = other;
    const { wrangler } = other;
    const racing: typeof wrangler = (args, mode) => {
      if (args.includes('create')) other.namespaces.push({ id: 'ns-raced', title: 'ringfence-slices' });
      return wrangler(args, mode);
    };
    deploy(
      { dryRun: false, newAdminKey: false, adminKey: null, passedOn: [] },
      { wrangler: racing, folder, say: () => undefined },
    );
    expect(other.namespaces).toHaveLength(1);
    expect(other.workers.get('ringfence-control')?.namespace).toBe('ns-raced');
  });

  it('replaces the key on both if it is told to', () => {
    run();
    const before = keysOf('ringfence');
    run({ newAdminKey: true });
    expect(keysOf('ringfence')).not.toBe(before);
    expect(keysOf('ringfence-control')).toBe(keysOf('ringfence'));
    expect(said).toContain('opens nothing any more');
  });
});

describe('over the single Worker from before', () => {
  it('changes nothing until it is told what the admin key is to be', () => {
    deploySingleWorker();
    expect(() => run()).toThrow(/ringfence has an admin key, ringfence-control has none.*Nothing was changed\.$/s);
    expect(cloudflare.changes).toEqual([]);
  });

  it.each(['ringfence-slices', 'a name that somebody chose'])('takes over its namespace, called %s', (title) => {
    deploySingleWorker(title);
    run({ adminKey: GIVEN });
    expect(cloudflare.namespaces).toHaveLength(1);
    for (const name of ['ringfence', 'ringfence-control']) {
      expect(cloudflare.workers.get(name)).toMatchObject({ namespace: 'ns-old', bucket: 'ringfence' });
      expect(keysOf(name)).toBe(GIVEN);
    }
  });

  it('moves the crons to the control Worker', () => {
    deploySingleWorker();
    run({ newAdminKey: true });
    expect(cloudflare.workers.get('ringfence')?.crons).toEqual([]);
    expect(cloudflare.workers.get('ringfence-control')?.crons).toEqual(CRONS);
  });

  it('says which of its settings the control Worker lacks', () => {
    deploySingleWorker();
    cloudflare.workers.get('ringfence')?.secrets.set('RINGFENCE_LABELS', '{}');
    run({ adminKey: GIVEN });
    expect(said).toContain('npx wrangler secret put RINGFENCE_LABELS --name ringfence-control');
  });
});

describe('when something fails', () => {
  it.each(['secret list', 'kv namespace list', 'kv namespace create'])('nothing is changed by then: %s', (call) => {
    cloudflare.failing.add(call);
    expect(() => run()).toThrow(CommandError);
    expect(() => run()).toThrow('Nothing was changed.');
    expect(cloudflare.workers.size).toBe(0);
  });

  it.each(['deployments status', 'versions view'])('nothing is changed by then over a Worker: %s', (call) => {
    deploySingleWorker();
    cloudflare.failing.add(call);
    expect(() => run({ adminKey: GIVEN })).toThrow('Nothing was changed.');
    expect(cloudflare.changes).toEqual([]);
  });

  it.each([
    'deploy ringfence-control',
    `secret put ${SECRET} --name ringfence-control`,
    'deploy ringfence',
    `secret put ${SECRET} --name ringfence`,
  ])('the next one goes on from there, with one key on both: %s', (call) => {
    cloudflare.failing.add(call);
    expect(() => run()).toThrow(CommandError);
    expect(said).not.toContain('rf_admin_');
    cloudflare.failing.clear();
    run();
    expect(keysOf('ringfence')).toMatch(/^rf_admin_/);
    expect(keysOf('ringfence-control')).toBe(keysOf('ringfence'));
    expect(said).toContain(String(keysOf('ringfence')));
    expect(cloudflare.namespaces).toHaveLength(1);
  });
});
