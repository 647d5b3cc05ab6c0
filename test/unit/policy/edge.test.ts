/** What decides at the edge, and on a replica, loads no parser of rules, and nothing that writes them. */
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const CONTROL = [
  '@marcbachmann/cel-js',
  'src/policy/cel/compile.ts',
  'src/policy/cel/parse.ts',
  'src/tenants/tenant-store.ts',
];

it.each([['src/policy/decide.ts', 'src/tenants/tenant-rules.ts'], ['src/replica/index.ts']])(
  '%s',
  async (...entries: readonly string[]) => {
    const { metafile } = await build({
      stdin: { contents: entries.map((path) => `export * from './${path}';`).join('\n'), resolveDir: process.cwd() },
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      external: ['node:*'],
      write: false,
      metafile: true,
    });
    const paths = Object.keys(metafile.inputs);
    expect(paths).toContain('src/policy/cel/evaluate.ts');
    expect(paths.filter((path) => CONTROL.some((part) => path.includes(part)))).toEqual([]);
  },
);
