/** Runs a program in a process of its own, to measure its CPU time and peak memory alone. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface RunApart {
  readonly stdout: string;
  readonly wallSeconds: number;
  /** Most resident memory, its children's not included. As often as it was looked at, or the kernel's own mark. */
  readonly peakBytes: number;
}

const LOOK_EVERY_MS = 20;

/** Rejects when the program fails; what it says on stderr is shown. */
export function runApart(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RunApart> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
    let stdout = '';
    let peakBytes = 0;
    const look = setInterval(() => {
      peakBytes = Math.max(peakBytes, highWaterMark(child.pid));
    }, LOOK_EVERY_MS);
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      stdout += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      clearInterval(look);
      if (status === 0) resolve({ stdout, wallSeconds: (performance.now() - start) / 1000, peakBytes });
      else reject(new Error(`${command} ${args[0]} ended with status ${status}`));
    });
  });
}

/** VmHWM of proc_pid_status(5), in bytes; 0 when the process is gone. */
function highWaterMark(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(status.match(/^VmHWM:\s+(\d+) kB$/m)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
