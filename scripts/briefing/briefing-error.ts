/** Ends the command with a message for the person at the terminal. */
export class BriefingError extends Error {
  override readonly name = 'BriefingError';
}
