/** Who is watched: a script that npm runs ends with npm, however npm ends, and one without npm with nobody. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PROJECT } from '../../../../scripts/command/paths.ts';

/** As npm: starts a shell with -c that waits for the script, and says so in the environment of the script. */
const STARTER = "require('child_process').spawn('sh', ['-c', process.argv[1]], { stdio: 'inherit' })";

let folder: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringfence-stop-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** A script that notes when it runs and when it is told to stop, and ends after ten seconds if it is not. */
async function underShell(environment: Record<string, string>): Promise<{ starter: ChildProcess; note: () => string }> {
  const path = join(folder, 'note');
  const script = join(folder, 'script.mjs');
  writeFileSync(
    script,
    `import { writeFileSync } from 'node:fs';
    const { stopSignal } = await import(${JSON.stringify(join(PROJECT, 'scripts', 'local', 'stop-signal.ts'))});
    const end = setTimeout(() => process.exit(), 10_000);
    stopSignal().addEventListener('abort', () => { writeFileSync(${JSON.stringify(path)}, 'stopped'); clearTimeout(end); });
    writeFileSync(${JSON.stringify(path)}, 'runs');`,
  );
  // The second command keeps the shell from giving way to the first.
  const line = `'${process.execPath}' '${script}'; exit $?`;
  const env = { ...process.env, npm_lifecycle_event: undefined, ...environment };
  const starter = spawn(process.execPath, ['-e', STARTER, line], { stdio: 'ignore', env });
  started.push(starter);
  const note = () => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  await vi.waitFor(() => expect(note()).toBe('runs'), { timeout: 9000 });
  return { starter, note };
}

describe.runIf(process.platform === 'linux')('a starter that is killed, whose shell waits on', () => {
  test('is npm: the script is told to stop', async () => {
    const { starter, note } = await underShell({ npm_lifecycle_event: 'start' });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(note()).toBe('runs');
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    await vi.waitFor(() => expect(note()).toBe('stopped'), { timeout: 5000 });
  });

  test('is not npm: it goes on', async () => {
    const { starter, note } = await underShell({});
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(note()).toBe('runs');
  });
});
