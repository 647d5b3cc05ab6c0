/** What the commands do when npm itself starts them, and takes their options. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PROJECT } from '../../../../scripts/command/paths.ts';

const home = mkdtempSync(join(tmpdir(), 'ringfence-npm-'));
afterAll(() => rmSync(home, { recursive: true }));

/** Without what an npm that runs the tests has set, and logged in nowhere: were an option lost, nothing is deployed. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|cloudflare|cf)_/i.test(name))),
  ...{ HOME: home, XDG_CONFIG_HOME: home, WRANGLER_HOME: home, WRANGLER_SEND_METRICS: 'false' },
};

test.each([
  [['deploy', '--dry-run'], 'npm run deploy -- --dry-run'],
  [['deploy', '--name', 'shop'], 'npm run deploy -- --name NAME'],
  [['deploy', '--new-admin-key'], 'npm run deploy -- --new-admin-key'],
  [['bench', 'none-of-that-name', '--small'], 'npm run bench -- ... --small'],
])('npm run %j is refused before anything is done', (args, remedy) => {
  const { status, stdout, stderr } = spawnSync('npm', ['run', ...args], {
    cwd: PROJECT,
    encoding: 'utf8',
    env: environment,
    shell: process.platform === 'win32',
    timeout: 60_000,
  });
  expect(stderr).toContain(`write \`${remedy}\``);
  expect(stdout).not.toMatch(/wrangler|ran/i);
  expect(status).not.toBe(0);
});
