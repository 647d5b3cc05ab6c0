/** Variables and secrets of a Worker in a file for wrangler, which reads it with dotenv and dotenv-expand. */
import { writeFileSync } from 'node:fs';
import { UsageError } from '../command/errors.ts';

/**
 * In a file, not on the command line, where every process of the machine could read them.
 * @throws UsageError for a value that the file's syntax has no way to write; it is not quoted
 */
export function writeEnvFile(path: string, variables: Readonly<Record<string, string>>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${quoted(name, value)}\n`);
  writeFileSync(path, lines.join(''), { mode: 0o600 });
}

/**
 * Quotes are not escaped in this syntax, so one is taken that the value does not have; `$` begins the name of another
 * variable unless a backslash stands before it, and within double quotes `\n` and `\r` are line breaks.
 */
function quoted(name: string, value: string): string {
  const text = value.replaceAll('$', '\\$');
  const mayEnd = !text.endsWith('\\');
  for (const quote of ["'", '`', '"']) {
    if (!mayEnd || text.includes(quote) || (quote === '"' && /\\[nr]/.test(text))) continue;
    return quote + text + quote;
  }
  // Without quotes it ends at `#` or a line break, and spaces and quotes around it are taken off.
  if (/^[^\s'"`#](?:[^#\r\n]*[^\s'"`#])?$/.test(text)) return text;
  throw new UsageError(
    `${name}: this mixture of quotes, # and backslashes cannot be handed to a local Worker; choose a value without them`,
  );
}
