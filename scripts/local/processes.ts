/**
 * Which process holds a port or a folder, and which started which: read from /proc on Linux, as far as it may be read.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, sep } from 'node:path';

/** Exit status of a guarded process that says that its workerd was ended by somebody else (guard.ts). */
export const WORKERD_ENDED = 86;

interface Holder {
  readonly pid: number;
  /** The program, and the script that it runs if it runs one. */
  readonly command: string;
}

/** `node scripts/start.ts, pid 123` */
export function describeHolder({ pid, command }: Holder): string {
  return `${command}, pid ${pid}`;
}

/** Null if that cannot be told. */
export function holderOfPort(port: number): Holder | null {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeners(file, port)));
  return sockets.size === 0 ? null : holderOf((link) => sockets.has(link));
}

/** Of some file in it. Null if there is none, or that cannot be told. */
export function holderOfFolder(folder: string): Holder | null {
  return holderOf((link) => link.startsWith(folder + sep));
}

interface Stat {
  readonly name: string;
  /** A letter: `Z` and `X` have ended. */
  readonly state: string;
  readonly parent: number;
}

/** Undefined if it has ended, or that cannot be told. */
export function statOf(pid: number): Stat | undefined {
  // `PID (NAME) STATE PARENT ...`, and the name may have any character.
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  const [, name, state = '', parent] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(stat) ?? [];
  return name === undefined ? undefined : { name, state, parent: Number(parent) };
}

/** The parent of a process, and the arguments of the process itself; null if it has ended, or that cannot be told. */
export function parentOf(pid: number): { readonly pid: number; readonly args: readonly string[] } | null {
  const stat = statOf(pid);
  if (stat === undefined) return null;
  const args = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1), []);
  return { pid: stat.parent, args };
}

/** The sockets that listen on a port, as they are called among the open files of a process. */
function listeners(file: string, port: number): string[] {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = attempt(() => readFileSync(file, 'utf8').split('\n').slice(1), []);
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode] = row.trim().split(/\s+/);
    return state === LISTEN && local.endsWith(suffix) ? [`socket:[${inode}]`] : [];
  });
}

function holderOf(isIt: (link: string) => boolean): Holder | null {
  const pids = attempt(() => readdirSync('/proc').filter((name) => /^\d+$/.test(name)), []);
  for (const pid of pids) {
    const files = attempt(() => readdirSync(`/proc/${pid}/fd`), []);
    if (files.some((file) => isIt(attempt(() => readlinkSync(`/proc/${pid}/fd/${file}`), '')))) {
      return { pid: Number(pid), command: commandOf(pid) };
    }
  }
  return null;
}

/** Of its arguments only a script is told: others may hold secrets. */
function commandOf(pid: string): string {
  const [program = '', ...args] = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0'), []);
  const script = args.find((arg) => /\.[cm]?[jt]s$/.test(arg));
  return [basename(program) || 'a process', ...(script === undefined ? [] : [basename(script)])].join(' ');
}

/** Processes come and go, and those of others cannot be looked at. */
function attempt<Value>(call: () => Value, otherwise: Value): Value {
  try {
    return call();
  } catch {
    return otherwise;
  }
}
