import { CommandError } from '../command/errors.ts';

/** Ends an import with a message for the person at the terminal. What was sent so far stays counted. */
export class ImportError extends CommandError {
  override readonly name = 'ImportError';
}
