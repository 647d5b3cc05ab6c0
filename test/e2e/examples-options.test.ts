/** What the examples are made of, and what `npm run example` says when it does not start anything. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildIfChanged, EXAMPLES, EXAMPLES_FOLDER } from '../../scripts/example.ts';
import { PROJECT } from './local-server.ts';

const taken = createServer();
let takenPort = '';

beforeAll(async () => {
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  takenPort = String(address.port);
});
afterAll(() => taken.close());

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/example.ts', ...args], {
    cwd: PROJECT,
    encoding: 'utf8',
  });
  return { status, stdout, stderr: stderr.trim() };
}

const [NAME = ''] = EXAMPLES.map(({ name }) => name);

describe('a Worker of the examples', () => {
  it.each(EXAMPLES.filter(({ runs }) => runs === 'worker'))(
    '$name is made of the package, as it is built',
    async ({ name }) => {
      await buildIfChanged();
      const { metafile } = await build({
        absWorkingDir: PROJECT,
        entryPoints: [join(EXAMPLES_FOLDER, name, 'src', 'worker.ts')],
        bundle: true,
        format: 'esm',
        external: ['cloudflare:workers'],
        write: false,
        metafile: true,
      });
      const inputs = Object.keys(metafile.inputs).filter((path) => !/^(examples|node_modules)\//.test(path));
      expect(inputs).toEqual([`dist/${name.replace('-sign-up', '')}.js`]);
    },
  );
});

describe('npm run example', () => {
  it('lists the examples when none is named', () => {
    const { status, stdout } = run();
    expect(status).toBe(0);
    for (const { name } of EXAMPLES) expect(stdout).toContain(`npm run example -- ${name}`);
  });

  it('knows every example that there is', () => {
    const folders = readdirSync(EXAMPLES_FOLDER).filter((name) => existsSync(join(EXAMPLES_FOLDER, name, 'README.md')));
    expect(folders.sort()).toEqual(EXAMPLES.map(({ name }) => name).sort());
  });

  it('names what it expected', () => {
    const names = EXAMPLES.map(({ name }) => name).join(', ');
    expect(run('koa')).toEqual({ status: 2, stdout: '', stderr: `expected one of ${names}; found koa` });
    expect(run(NAME, '--port', '0').stderr).toBe('--port: expected a number from 1 to 65535, found 0');
    expect(run(NAME, '--port', '81', '--ringfence-port', '81').stderr).toMatch(/expected two ports, found one/);
    expect(run(NAME, '--on-error', 'flag').stderr).toBe('--on-error: expected allow or block, found flag');
    expect(run(NAME, '--prot', '1')).toMatchObject({ status: 2, stderr: expect.stringContaining('--help') });
  });

  it('says which port is taken', () => {
    for (const option of ['--port', '--ringfence-port']) {
      const { status, stderr } = run(NAME, option, takenPort);
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(
          new RegExp(
            `^port ${takenPort} is taken( \\(by node[^)]*, pid ${process.pid}\\))?; choose another with ${option}$`,
          ),
        ),
      ]);
    }
  });
});
