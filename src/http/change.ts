/** What becomes of reads and changes of what tenants have configured. */
import { StorageUnavailable } from '../store/errors.ts';
import type { ChangeResult } from '../tenants/tenant-store.ts';
import { Problem, storageUnavailable } from './problem.ts';

/** Work that reads storage; what it throws itself, other than a Problem, is storage's doing. */
export async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Problem ? error : new StorageUnavailable('the storage did not answer; try again', error);
  }
}

/** Of a change that was not made. */
export function failedChange(result: Exclude<ChangeResult<unknown>, { readonly kind: 'done' }>): Problem {
  if (result.kind === 'full') return new Problem('limit-reached', `expected at most ${result.limit}`);
  if (result.kind === 'not-found') return new Problem('not-found', 'expected a number with an override');
  return storageUnavailable('the change may or may not have been made; send it again');
}
