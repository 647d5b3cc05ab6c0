/** Generated files in the project's style, so that they are checked like what is written. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from './paths.ts';

/** @param path that the text is written to, in the project */
export function formatted(path: string, text: string): string {
  const biome = join(PROJECT, 'node_modules', '.bin', 'biome');
  return execFileSync(biome, ['format', `--stdin-file-path=${path}`], { cwd: PROJECT, input: text, encoding: 'utf8' });
}
