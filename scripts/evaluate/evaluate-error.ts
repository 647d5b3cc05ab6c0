/** Ends an evaluation or a fit with a message for the person at the terminal: an option, or a file that cannot be used. */
export class EvaluateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EvaluateError';
  }
}
