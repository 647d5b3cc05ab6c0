import { CommandError } from '../command/errors.ts';

/** Ends an evaluation or a fit with a message for the person at the terminal: a file that cannot be used. */
export class EvaluateError extends CommandError {
  override readonly name = 'EvaluateError';
}
