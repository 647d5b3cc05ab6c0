/**
 * Loaded into the process of a server before anything else (`node --import`), so that no process is left behind: it
 * ends at once, with all its children, when the process that started it is gone, or when its workerd is.
 */
import type { ChildProcess } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { basename } from 'node:path';
import { WORKERD_ENDED } from './processes.ts';

/** Of this process, and still running, as far as known. */
const children = new Set<ChildProcess>();

/** Without a way back: whoever acts on storage is as a machine that lost power, and storage is made for that. */
function endAll(status: number): never {
  for (const child of children) child.kill('SIGKILL');
  process.exit(status);
}

channel('child_process').subscribe((message) => {
  const { process: child } = message as { readonly process: ChildProcess };
  children.add(child);
  child.once('exit', (_, signal) => {
    children.delete(child);
    const isWorkerd = basename(child.spawnfile).startsWith('workerd');
    // One that wrangler itself has ended, to start it anew, has been sent its signal through the object.
    if (!isWorkerd || child.killed) return;
    process.stderr.write(`workerd has ended${signal === null ? '' : ` (${signal})`}\n`);
    endAll(WORKERD_ENDED);
  });
});

// The other end of this pipe is held by the process that started this one, and by nobody else.
process.stdin.on('error', () => endAll(1));
process.stdin.on('close', () => endAll(1));
process.stdin.on('end', () => endAll(1));
process.stdin.resume();
if ('unref' in process.stdin) process.stdin.unref();
