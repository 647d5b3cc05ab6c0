import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

/** What a Worker's owner is asked to add to a sign-up form. */
const MAX_GZIP_BYTES = 3072;

it.each(['hono', 'itty-router', 'fetch'])('ringfence/%s is at most 3 KiB and imports nothing', async (entry) => {
  const { outputFiles, metafile } = await build({
    entryPoints: [`src/sdk/middleware/${entry}.ts`],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    external: ['hono', 'itty-router'],
    write: false,
    metafile: true,
  });
  const [output] = outputFiles;
  const bytes = gzipSync(output?.contents ?? '', { level: 9 }).byteLength;
  console.info(`ringfence/${entry}: ${output?.contents.byteLength} bytes, ${bytes} gzipped`);
  expect(bytes).toBeGreaterThan(1000);
  expect(bytes).toBeLessThanOrEqual(MAX_GZIP_BYTES);
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
  const sources = Object.keys(metafile.inputs).filter((path) => !path.startsWith('src/sdk/middleware/'));
  expect(sources).toEqual([]);
});
