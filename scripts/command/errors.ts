/** What a command tells the person at the terminal when it cannot go on: one sentence, no stack trace, no secret. */
import * as v from 'valibot';
import { messageOf } from '../../src/lib/errors.ts';

/** Ends a command with its message as it is. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** The command line, or a setting in the environment, cannot be followed. Nothing has been done. Exit status 2. */
export class UsageError extends CommandError {
  override readonly name: string = 'UsageError';
}

/** A store could not be opened, so nothing is known of it, and nothing was done to it. */
export class StoreError extends CommandError {
  override readonly name = 'StoreError';
}

const DEBUG = 'RINGFENCE_DEBUG';

/** What a failed call on a file means for the person who named it, by its error code. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of this path is a file, not a folder',
  EISDIR: 'this is a folder, and a file was expected',
  EEXIST: 'something else is already there',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ELOOP: 'a link here leads back to itself',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  EBUSY: 'it is in use',
};

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Why a file or folder could not be used, as the end of a sentence. */
export function fileProblem(error: unknown): string {
  const code = codeOf(error);
  return FILE_PROBLEMS[code] ?? (code || 'unknown reason');
}

/** What to do about a key that a server refuses, in a sentence; null: the answer is about something else. */
export function keyAdvice(status: number, scope: string): string | null {
  if (status === 401) {
    return 'The key is not known there: give another with --key or RINGFENCE_KEY. `npm start` prints the local one.';
  }
  return status === 403 ? `The key lacks the scope "${scope}": ask whoever made it for one that has it.` : null;
}

const PROBLEM = v.object({ detail: v.string() });
const MAX_DETAIL_CHARS = 300;

/** That a server refuses, with the detail of its problem document if it sent one. Reads the body. */
export async function refusalText(response: Response): Promise<string> {
  const problem = v.safeParse(PROBLEM, await response.json().catch(() => null));
  const detail = problem.success ? `: ${problem.output.detail.slice(0, MAX_DETAIL_CHARS)}` : '';
  return `the server answers ${response.status}${detail}`;
}

/** User name and password of an address are never told. */
export function withoutCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s"'<>]*@/gi, '$1');
}

/** An error of any kind as what is printed. */
export function sentenceOf(error: unknown, environment: Readonly<Record<string, string | undefined>>): string {
  const isExpected = error instanceof CommandError || error instanceof RangeError;
  if (environment[DEBUG] && error instanceof Error) return withoutCredentials(error.stack ?? error.message);
  if (isExpected) return withoutCredentials(error.message);
  if (error instanceof Error && 'path' in error && codeOf(error) in FILE_PROBLEMS) {
    return withoutCredentials(`${String(error.path)}: ${fileProblem(error)}`);
  }
  return withoutCredentials(`this should not have happened: ${messageOf(error)} (${DEBUG}=1 shows where)`);
}
