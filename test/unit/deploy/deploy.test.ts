/** `npm run deploy` on an account that has nothing, everything, a part of it, or the single Worker from before. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandError, UsageError } from '../../../scripts/command/errors.ts';
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

/**
 * As the version before deployed it: one Worker, a namespace that wrangler has made, and a key that nobody can read.
 */
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

  it.each([{ dryRun: true }, ...['--dry-run', '--dry-run=true', '--dryRun'].map((one) => ({ passedOn: [one] }))])(
    'asks and changes nothing in a dry run: %j',
    (options) => {
      run(options);
      expect(cloudflare.calls).toEqual(['deploy --dry-run ringfence-control', 'deploy --dry-run ringfence']);
      expect([cloudflare.workers.size, cloudflare.namespaces.length]).toEqual([0, 0]);
      expect(said.trim().split(/\n+/)).toEqual([
        'ringfence-control, the control Worker:',
        'ringfence, the edge Worker:',
        'Both Workers can be bundled. Nothing was asked of the account.',
      ]);
    },
  );

  it('says that nobody is logged in, and not what wrangler advises then', () => {
    const said =
      "it's necessary to set a CLOUDFLARE_API_TOKEN environment variable. Rerun this command with `--temporary`.";
    const loggedOut = () => ({ status: 1, stdout: '', stderr: said });
    const call = () =>
      deploy(
        { dryRun: false, newAdminKey: false, adminKey: null, passedOn: [] },
        { wrangler: loggedOut, folder, say: () => undefined },
      );
    expect(call).toThrow(/^Wrangler is not logged in to Cloudflare: run `npx wrangler login`/);
    expect(call).not.toThrow('--temporary');
  });
});

describe('a command line that cannot be followed', () => {
  it.each<[string, Partial<DeployOptions>]>([
    ['an argument that wrangler would take for its entry file', { passedOn: ['foo'] }],
    ['one beside others', { passedOn: ['foo', '--minify'] }],
    ['a name for both Workers', { passedOn: ['--minify', '--name', 'shop'] }],
    ['another configuration', { passedOn: ['-c', 'other.toml'] }],
    ['two keys', { newAdminKey: true, adminKey: GIVEN }],
    ...['Bad Name', 'Shop', '-shop', '', 'a.b', 'x'.repeat(56)].map((name): [string, Partial<DeployOptions>] => [
      `the name "${name}"`,
      { name },
    ]),
  ])('asks nothing: %s', (_, options) => {
    for (const dryRun of [true, false]) {
      expect(() => run({ ...options, dryRun })).toThrow(UsageError);
      expect(cloudflare.calls).toEqual([]);
    }
  });

  it.each(['shop', 'shop-2', 'x'.repeat(55)])('but takes the name %s', (name) => {
    run({ name });
    expect([...cloudflare.workers.keys()]).toEqual([`${name}-control`, name]);
  });
});

describe('a second time', () => {
  it('makes nothing, and leaves the key as it is', () => {
    run();
    const before = { key: keysOf('ringfence'), namespaces: [...cloudflare.namespaces] };
    cloudflare.calls.length = 0;
    run();
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

  it('sets a key that is given on both, whatever they have', () => {
    run();
    run({ adminKey: GIVEN });
    expect([keysOf('ringfence'), keysOf('ringfence-control')]).toEqual([GIVEN, GIVEN]);
    expect(said).not.toContain(GIVEN);
    expect(said).toContain(`The admin key of both is that of ${SECRET}.`);
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

  it('gives the old Worker the new key before the edge takes its place', () => {
    deploySingleWorker();
    run({ adminKey: GIVEN });
    expect(cloudflare.changes).toEqual([
      'deploy ringfence-control',
      `secret put ${SECRET} --name ringfence`,
      `secret put ${SECRET} --name ringfence-control`,
      'deploy ringfence',
    ]);
  });

  it('changes nothing before the control Worker has the settings that are secrets', () => {
    deploySingleWorker();
    cloudflare.workers.get('ringfence')?.secrets.set('RINGFENCE_LABELS', '{}');
    for (const options of [{ adminKey: GIVEN }, { newAdminKey: true }, {}]) {
      expect(() => run(options)).toThrow(
        /^ringfence has RINGFENCE_LABELS as a secret .*npx wrangler secret put RINGFENCE_LABELS --name ringfence-control\n.*Nothing was changed\.$/s,
      );
    }
    expect(cloudflare.changes).toEqual([]);
    // As `wrangler secret put` leaves a Worker that nobody has deployed.
    cloudflare.workers.set('ringfence-control', {
      ...{ main: '', version: 'v-draft', crons: [], namespace: '', bucket: '', services: [] },
      secrets: new Map([['RINGFENCE_LABELS', '{}']]),
    });
    run({ adminKey: GIVEN });
    expect(keysOf('ringfence-control')).toBe(GIVEN);
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

  const steps = [
    'deploy ringfence-control',
    `secret delete ${SECRET} --name ringfence-control`,
    `secret put ${SECRET} --name ringfence`,
    `secret put ${SECRET} --name ringfence-control`,
    'deploy ringfence',
  ];

  it.each(steps.filter((call) => !call.startsWith('secret delete')))(
    'the next one goes on from there, with one key on both: %s',
    (call) => {
      cloudflare.failing.add(call);
      expect(() => run()).toThrow(CommandError);
      cloudflare.failing.clear();
      run();
      expect(keysOf('ringfence')).toMatch(/^rf_admin_/);
      expect(keysOf('ringfence-control')).toBe(keysOf('ringfence'));
      expect(lastShown()).toBe(keysOf('ringfence'));
      expect(cloudflare.namespaces).toHaveLength(1);
    },
  );

  /** The key that the account's owner has read last. */
  const lastShown = () => [...said.matchAll(/rf_admin_[0-9a-f]{48}/g)].at(-1)?.[0];

  const accounts = {
    'a first deployment': { before: () => undefined, has: null },
    'the single Worker': { before: () => deploySingleWorker(), has: 'the-old-one' },
    'both Workers': { before: () => run({ adminKey: 'the-old-one' }), has: 'the-old-one' },
  };
  const cases = Object.entries(accounts).flatMap(([account, { before, has }]) =>
    [GIVEN, null].flatMap((adminKey) =>
      steps
        .filter((call) => account === 'both Workers' || !call.startsWith('secret delete'))
        .map((call) => ({ account, before, has, adminKey, call, which: adminKey ? 'given' : 'new' })),
    ),
  );

  it.each(cases)('over $account, with a $which key, at $call: no run ends with two keys', (one) => {
    const { before, has, adminKey, call } = one;
    const options = { adminKey, newAdminKey: adminKey === null && has !== null };
    before();
    cloudflare.failing.add(call);
    const message = messageOf(() => run(options));
    expect(message).not.toContain(GIVEN);
    cloudflare.failing.clear();

    // What the message says.
    const [, command = ''] = /Run `([^`]+)`/.exec(message) ?? [];
    const finishing = {
      adminKey: command.startsWith(`${SECRET}=...`) ? (adminKey ?? lastShown() ?? null) : null,
      newAdminKey: command.endsWith(' -- --new-admin-key'),
    };
    expect(command).toMatch(/npm run deploy( -- --new-admin-key)?$/);

    // Without it, either the command refuses and changes nothing, or all is well.
    const state = { edge: keysOf('ringfence'), control: keysOf('ringfence-control') };
    const refusal = messageOf(() => run());
    if (refusal === '') {
      expect(keysOf('ringfence-control')).toBe(keysOf('ringfence'));
      expect([has, adminKey, lastShown()]).toContain(keysOf('ringfence'));
    } else {
      expect(refusal).toMatch(/Nothing was changed\.$/);
      expect({ edge: keysOf('ringfence'), control: keysOf('ringfence-control') }).toEqual(state);
    }

    run(finishing);
    expect(keysOf('ringfence-control')).toBe(keysOf('ringfence'));
    expect(keysOf('ringfence')).toBeDefined();
    expect([has, finishing.adminKey, adminKey, lastShown()]).toContain(keysOf('ringfence'));
    if (refusal !== '') expect(keysOf('ringfence')).toBe(adminKey ?? lastShown());
  });

  it('names the command that finishes it, with its name, and no value that may be a secret', () => {
    run({ name: 'shop', adminKey: GIVEN });
    cloudflare.failing.add(`secret put ${SECRET} --name shop-control`);
    const message = messageOf(() => run({ name: 'shop', adminKey: GIVEN, passedOn: ['--var', 'A:b'] }));
    expect(message).toContain(`Run \`${SECRET}=... npm run deploy -- --name shop -- ...\` with the same admin key`);
    expect(messageOf(() => run({ name: 'shop' }))).toContain('  npm run deploy -- --name shop --new-admin-key\n');
  });
});

/** Empty: it did not throw. */
function messageOf(call: () => void): string {
  try {
    call();
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    return (error as CommandError).message;
  }
}
