/** Ends a synthesis with a message for the person at the terminal: an option, or a wish that the number plans cannot meet. */
export class SynthesisError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SynthesisError';
  }
}
