/** A command of the project that ends by itself. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PROJECT } from '../../scripts/command/paths.ts';

export interface Ended {
  /** Exit status; NaN if a signal ended it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Surroundings {
  /** Default: the folder of the project. */
  readonly cwd?: string;
  /** Besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** After which it is killed. Default: none but the test's. */
  readonly limitMs?: number;
}

/** @param script from the folder of the project */
export async function run(script: string, args: readonly string[] = [], around: Surroundings = {}): Promise<Ended> {
  const { cwd = PROJECT, env = {}, limitMs = 0 } = around;
  const options = { cwd, timeout: limitMs, killSignal: 'SIGKILL', env: { ...process.env, ...env } } as const;
  const ended = await new Promise<Ended>((resolve) => {
    execFile(process.execPath, [join(PROJECT, script), ...args], options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : Number.NaN;
      resolve({ code, out, err });
    });
  });
  expect(ended.out + ended.err, 'no phone number is printed').not.toMatch(/\d{3}5550?1\d\d/);
  return ended;
}
