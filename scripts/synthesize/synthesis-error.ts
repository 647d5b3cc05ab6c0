import { CommandError } from '../command/errors.ts';

/** Ends a synthesis with a message for the person at the terminal: a wish that the number plans cannot meet. */
export class SynthesisError extends CommandError {
  override readonly name = 'SynthesisError';
}
