/** Errors in the options, found when the middleware is set up. They say what was expected, never what was given. */

export function expectation(option: string, expected: string): Error {
  return new TypeError(`ringfence: ${option}: expected ${expected}`);
}

/** @throws Error if it is no text or empty, as an environment variable that was forgotten is */
export function checkSecret(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw expectation(option, 'a secret');
}

/** @throws Error if it is given and cannot be called */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw expectation(option, 'a function');
}
