/**
 * The package, made once for all files, which run beside each other: packed for those who install it, and in dist/ for
 * the examples and the replica. No test writes into dist/.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { DIST } from '../../scripts/build-package/entries.ts';
import { PROJECT } from '../../scripts/command/paths.ts';
import { buildIfChanged } from '../../scripts/example.ts';

/** What `npm pack` tells, and where it has put it. */
export interface Packed {
  readonly path: string;
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly packed: Packed;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-packed-'));
  project.provide('packed', pack(folder));
  // As in a fresh clone: what the examples are made of is built by themselves.
  rmSync(DIST, { recursive: true });
  await buildIfChanged();
  return () => rmSync(folder, { recursive: true });
}

/** With prepack, so that what is packed has been built of what is here. */
function pack(folder: string): Packed {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: PROJECT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const found: unknown = JSON.parse(output.slice(output.search(/^[[{]/m)));
  const [first] = (Array.isArray(found) ? found : Object.values(found as object)) as readonly (Packed & {
    readonly filename: string;
  })[];
  if (first === undefined) throw new Error('npm pack told of no package');
  const { filename, size, files } = first;
  return { path: join(folder, filename), size, files };
}
