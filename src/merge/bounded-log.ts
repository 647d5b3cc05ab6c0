import type { MergeContext } from './context.ts';

/** Lines of one event in a tick: enough to see what it is about, however many batches or segments it is true of. */
const MAX_LINES = 5;

/** A log that says the same a few times only, and at the end how often it was. */
export function boundLog({ log }: MergeContext): { readonly log: MergeContext['log']; end(): void } {
  const counts = new Map<string, number>();
  return {
    log: (event, details) => {
      const count = (counts.get(event) ?? 0) + 1;
      counts.set(event, count);
      if (count <= MAX_LINES) log(event, details);
    },
    end: () => {
      const more = [...counts].filter(([, count]) => count > MAX_LINES);
      if (more.length > 0) log('log.bounded', Object.fromEntries(more));
    },
  };
}
