/**
 * As many requests as the Worker answers, by wrk (https://github.com/wg/wrk), the established tool: keep-alive, one
 * thread, a closed loop. Latencies are measured otherwise (open-loop.ts).
 */
import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../../scripts/command/errors.ts';

const SCRIPT = join(import.meta.dirname, 'load.lua');
/** Of an answer; wrk's own is two seconds, which a machine that does other things at the same time may take. */
const ANSWER_LIMIT = '30s';
/** Above what the duration of a run allows for. */
const RUN_LIMIT_MS = 120_000;

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
}

/** Thrown when the load tool is not there: nothing was measured, and no bar was missed. */
export class LoadToolMissing extends CommandError {}

/** @throws LoadToolMissing saying how to install it */
export function requireLoadTool(tool = 'wrk'): void {
  if (spawnSync(tool, ['-v']).error === undefined) return;
  throw new LoadToolMissing(`this benchmark needs the load tool ${tool}: install it with \`apt-get install ${tool}\``);
}

/** Writes the requests to a file for load.lua, which sends them as they are and begins again after the last. */
export function prepareLoad(path: string, host: string, requests: readonly LoadRequest[]): string {
  const parts = requests.map((request) => {
    const bytes = requestBytes(host, request);
    return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
  });
  writeFileSync(path, Buffer.concat(parts), { mode: 0o600 });
  return path;
}

export function requestBytes(host: string, { method, path, headers, body }: LoadRequest): Buffer {
  const content = Buffer.from(body ?? '');
  const all: Record<string, string> = { host, ...headers };
  if (body !== undefined) {
    all['content-type'] = 'application/json';
    all['content-length'] = String(content.length);
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), content]);
}

interface LoadOptions {
  readonly connections: number;
  /** Whole seconds. */
  readonly seconds: number;
}

/** @throws Error unless every request was answered, with a status below 400 */
export async function runLoad(
  url: string,
  prepared: string,
  { connections, seconds }: LoadOptions,
): Promise<LoadResult> {
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--timeout',
    ANSWER_LIMIT,
    '-s',
    SCRIPT,
    url,
    '--',
    prepared,
  ];
  const { stdout } = await promisify(execFile)('wrk', args, { timeout: RUN_LIMIT_MS });
  return loadResult(stdout);
}

interface LuaResult {
  readonly requests: number;
  readonly duration: number;
  readonly refused: number;
  readonly broken: number;
}

/** From what wrk printed, of which the last line is load.lua's. */
export function loadResult(stdout: string): LoadResult {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`wrk ended without a result: ${stdout.slice(-200)}`);
  const { requests, duration, refused, broken } = JSON.parse(line) as LuaResult;
  if (refused > 0 || broken > 0 || requests === 0) {
    throw new Error(`of ${requests} requests ${refused} were refused and ${broken} not answered`);
  }
  return { requests, seconds: duration / 1e6 };
}
