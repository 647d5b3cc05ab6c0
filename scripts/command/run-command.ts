/** Runs a command: it prints its errors and sets its exit status. */
import { codeOf, sentenceOf, UsageError } from './errors.ts';

export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const THIS_MACHINE = ['127.0.0.1', 'localhost', '::1'];
const PROXY_EXCEPTIONS = ['NO_PROXY', 'no_proxy'];

/** A proxy of the environment is not asked for servers on this machine: it would not reach them. */
export function bypassProxy(environment: Record<string, string | undefined>): void {
  const given = PROXY_EXCEPTIONS.map((name) => environment[name]).find(Boolean) ?? '';
  const hosts = given.split(/[\s,]+/).filter(Boolean);
  const all = [...hosts, ...THIS_MACHINE.filter((host) => !hosts.includes(host))].join(',');
  for (const name of PROXY_EXCEPTIONS) environment[name] = all;
}

/**
 * Runs a command to its end, sets the exit status of the process, and tells an error in one sentence.
 *
 * @param main returns the exit status if it is not 0
 * @param failureStatus of a command whose documented exit statuses mean something else by 1
 * @param whenFailed called before an error is told, to end a line of progress
 */
export async function runCommand(
  main: () => Promise<number | undefined>,
  {
    failureStatus = EXIT_FAILED,
    whenFailed,
  }: { readonly failureStatus?: number; readonly whenFailed?: () => void } = {},
): Promise<void> {
  bypassProxy(process.env);
  const fail = (error: unknown) => {
    whenFailed?.();
    process.stderr.write(`${sentenceOf(error, process.env)}\n`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : failureStatus;
  };
  // Whoever read the output has seen enough, as `head` does.
  process.stdout.on('error', (error) => process.exit(codeOf(error) === 'EPIPE' ? 0 : 1));
  // Thrown where nobody waits for it: what else runs is in an unknown state, so the process ends.
  process.on('uncaughtException', (error) => {
    fail(error);
    process.exit();
  });
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    fail(error);
  }
}
