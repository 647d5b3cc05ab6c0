/** Ends an import with a message for the person at the terminal. What was sent so far stays counted. */
export class ImportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImportError';
  }
}
