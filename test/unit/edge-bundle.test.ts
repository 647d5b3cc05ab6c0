/** The edge Worker is small: what it is made of, and how large it is as it is deployed. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile, type Plugin } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { MAX_KIB as EDGE_MAX_KIB } from '../../bench/startup/bench.ts';
import { PROJECT } from '../../scripts/command/paths.ts';
import { workerConfigs } from '../../scripts/command/worker-configs.ts';
import { EDGE_MAY_IMPORT, ONLY_FROM } from '../support/edge-imports.ts';

interface Bundle {
  readonly inputs: Metafile['inputs'];
  readonly gzipKib: number;
}

/** As wrangler bundles it. @param more in the place of what is there, by path in the project */
async function bundle(more: Readonly<Record<string, string>> = {}): Promise<Bundle> {
  const { edge } = workerConfigs();
  const instead: Plugin = {
    name: 'instead',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = Object.entries(more).find(([name]) => path === join(PROJECT, name))?.[1];
        return contents === undefined ? null : { contents, loader: 'ts' };
      });
    },
  };
  const { metafile, outputFiles } = await build({
    ...{ entryPoints: [edge.main ?? ''], absWorkingDir: PROJECT, outfile: 'edge.js', write: false, metafile: true },
    ...{
      bundle: true,
      format: 'esm',
      target: 'es2024',
      minify: edge.minify ?? false,
      keepNames: edge.keep_names ?? true,
    },
    ...{ conditions: ['workerd', 'worker', 'browser'], external: ['cloudflare:*', 'node:*'], plugins: [instead] },
  });
  const [script] = outputFiles;
  return { inputs: metafile.inputs, gzipKib: gzipSync(script?.contents ?? '').length / 1024 };
}

const isIn = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

/** `importer -> module`, of each that may not be there. */
function strangers({ inputs }: Bundle): string[] {
  return Object.entries(inputs).flatMap(([importer, { imports }]) =>
    imports
      .filter(({ path, external }) => {
        const isAllowed = external || EDGE_MAY_IMPORT.some((place) => isIn(path, place));
        const seam = Object.entries(ONLY_FROM).find(([place]) => isIn(path, place));
        return !isAllowed || (seam !== undefined && !seam.some((place) => isIn(importer, place)));
      })
      .map(({ path }) => `${importer} -> ${path}`),
  );
}

let edge: Bundle;

beforeAll(async () => {
  edge = await bundle();
});

describe('the edge Worker', () => {
  it('imports nothing that is not on its list (test/support/edge-imports.ts)', () => {
    expect(strangers(edge)).toEqual([]);
  });

  it('has nothing on its list that it does not import', () => {
    const inputs = Object.keys(edge.inputs);
    expect(EDGE_MAY_IMPORT.filter((place) => !inputs.some((path) => isIn(path, place)))).toEqual([]);
  });

  it(`is at most ${EDGE_MAX_KIB} KiB, gzip`, () => {
    expect(edge.gzipKib).toBeLessThan(EDGE_MAX_KIB);
    // Anything much smaller is not the Worker.
    expect(edge.gzipKib).toBeGreaterThan(20);
  });
});

describe('the check', () => {
  it.each([
    ['src/api/feed.ts', '../merge/tick.ts', 'src/merge/tick.ts'],
    ['src/lookup/finder.ts', '../api/openapi.ts', 'src/api/openapi.ts'],
    ['src/api/quota.ts', 'libphonenumber-js/core', 'node_modules/libphonenumber-js/core/index.js'],
  ])('names who imports what: %s', async (importer, specifier, found) => {
    const spoilt = await bundle({
      [importer]: `import * as it from '${specifier}';\nconsole.log(it);\n${EXPORTS[importer]}`,
    });
    expect(strangers(spoilt)).toContain(`${importer} -> ${found}`);
  });
});

/** What the others import of them, so that the bundle can be made. */
const EXPORTS: Readonly<Record<string, string>> = {
  'src/api/feed.ts': 'export const FEED_ROUTES = [];',
  'src/lookup/finder.ts': 'export class Finder {}',
  'src/api/quota.ts': 'export class RequestQuota {}',
};
