/** What the examples are made of, and what `npm run example` says when it does not start anything. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT } from '../../scripts/command/paths.ts';
import { EXAMPLES, EXAMPLES_FOLDER } from '../../scripts/example.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { run } from './run.ts';

let taken: HttpServer;

beforeAll(async () => {
  taken = await startHttpServer((_, response) => response.end());
});
afterAll(() => taken.stop());

const example = (...args: readonly string[]) => run('scripts/example.ts', args);

const [NAME = ''] = EXAMPLES.map(({ name }) => name);

describe('a Worker of the examples', () => {
  it.each(EXAMPLES.filter(({ runs }) => runs === 'worker'))(
    '$name is made of the package, as it is built',
    async ({ name }) => {
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
  it('lists the examples when none is named', async () => {
    const { code, out } = await example();
    expect(code).toBe(0);
    for (const { name } of EXAMPLES) expect(out).toContain(`npm run example -- ${name}`);
  });

  it('knows every example that there is', () => {
    const folders = readdirSync(EXAMPLES_FOLDER).filter((name) => existsSync(join(EXAMPLES_FOLDER, name, 'README.md')));
    expect(folders.sort()).toEqual(EXAMPLES.map(({ name }) => name).sort());
  });

  it('names what it expected', async () => {
    const names = EXAMPLES.map(({ name }) => name).join(', ');
    expect(await example('koa')).toEqual({ code: 2, out: '', err: `expected one of ${names}; found koa\n` });
    expect((await example(NAME, '--port', '0')).err).toBe('--port: expected a number from 1 to 65535, found 0\n');
    expect((await example(NAME, '--port', '81', '--ringfence-port', '81')).err).toMatch(
      /expected two ports, found one/,
    );
    expect((await example(NAME, '--on-error', 'flag')).err).toBe('--on-error: expected allow or block, found flag\n');
    expect(await example(NAME, '--prot', '1')).toMatchObject({ code: 2, err: expect.stringContaining('--help') });
  });

  it('says which port is taken', async () => {
    for (const option of ['--port', '--ringfence-port']) {
      const { code, err } = await example(NAME, option, String(taken.port));
      const holder = `( \\(by node[^)]*, pid ${process.pid}\\))?`;
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(new RegExp(`^port ${taken.port} is taken${holder}; choose another with ${option}\n$`)),
      ]);
    }
  });
});
