import { CommandError } from '../command/errors.ts';

/** Ends the command with a message for the person at the terminal. */
export class BriefingError extends CommandError {
  override readonly name = 'BriefingError';
}
