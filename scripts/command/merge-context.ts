/** What merges a store from a program that serves nobody meanwhile. */
import { UNPACED } from '../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../src/merge/context.ts';

/** By this machine's clock, and waiting as long as R2 demands; whoever has others, spreads them over it. */
export function mergeContextOf({ objects, slices }: Pick<MergeContext, 'objects' | 'slices'>): MergeContext {
  return {
    objects,
    slices,
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    randomId: () => crypto.randomUUID(),
    log: (event, details) => console.error(JSON.stringify({ event, ...details })),
    pace: UNPACED,
    budget: DEFAULT_BUDGET,
  };
}
