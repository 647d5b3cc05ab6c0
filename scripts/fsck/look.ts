/** What a check works with. */
import type { ObjectStore, SliceStore } from '../../src/store/store.ts';
import { CommandError } from '../command/errors.ts';
import type { Findings } from './findings.ts';
import type { Progress } from './progress.ts';

export interface Look {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  readonly findings: Findings;
  readonly progress: Progress;
}

/** The store could not be looked at, so nothing is known of it: neither sound nor broken. Exit status 2. */
export class LookError extends CommandError {
  override readonly name = 'LookError';
}

/** The remedy that always works, since batches are what everything else is made of. */
export const REBUILD = 'Rebuild the store from its batches: npm run fsck -- --rebuild DIR.';
