import type { Check } from 'ringfence/fetch';

/** One line for each sign-up, in the log alone: neither the number nor why goes anywhere else. */
export function report({ outcome, challengePassed, error }: Check): void {
  console.log(`sign-up: ${outcome}${challengePassed ? ', passed' : ''}${error ? `, ${error}` : ''}`);
}
