/** What becomes of reads and changes of what tenants have configured. */
import { orUnavailable } from '../store/errors.ts';
import type { ChangeResult } from '../tenants/tenant-store.ts';
import { Problem, storageUnavailable } from './problem.ts';

/** Reading what a tenant has configured; the reader may throw a Problem of its own. */
export function readOrUnavailable<T>(work: Promise<T>): Promise<T> {
  return orUnavailable(work, (error) => error instanceof Problem);
}

/** Of a change that was not made. */
export function failedChange(result: Exclude<ChangeResult<unknown>, { readonly kind: 'done' }>): Problem {
  if (result.kind === 'full') return new Problem('limit-reached', `expected at most ${result.limit}`);
  if (result.kind === 'lost') {
    return new Problem(
      'overrides-lost',
      'expected a list of overrides that can be read: the operator puts it back from a copy, or DELETE /v1/overrides/lost begins an empty one',
    );
  }
  if (result.kind === 'not-found') return new Problem('not-found', 'expected a number with an override');
  return storageUnavailable('the change may or may not have been made; send it again');
}
