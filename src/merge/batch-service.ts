/** Batches, for who operates them: reads and decisions on the store as it is now. */
import { orUnavailable } from '../store/errors.ts';
import { type BatchPage, type BatchQuery, listBatches } from './batch-list.ts';
import { type BatchState, BatchStates } from './batch-state.ts';
import type { MergeContext } from './context.ts';
import { type ReleaseResult, releaseBatch } from './release.ts';
import { type WithdrawResult, withdraw } from './withdraw.ts';

export interface BatchService {
  /** null: `after` is no place that a page has told. */
  list(query: BatchQuery): Promise<BatchPage | null>;
  /**
   * @param accepted rows of the batch
   * @param tellsHeld if not, what is held back counts as merged
   */
  stateOf(id: string, accepted: number, tellsHeld: boolean): Promise<BatchState>;
  /** @param by id of the key of whoever asks */
  withdraw(id: string, by: string): Promise<WithdrawResult>;
  release(id: string): Promise<ReleaseResult>;
}

/** All reject with StorageUnavailable when the storage does not answer. */
export function batchService(context: MergeContext): BatchService {
  const { objects, pace } = context;
  return {
    list: (query) => orUnavailable(listBatches(objects, query, pace)),
    stateOf: (id, accepted, tellsHeld) =>
      orUnavailable(BatchStates.read(objects, tellsHeld).then((states) => states.of(id, accepted))),
    withdraw: (id, by) => orUnavailable(withdraw(context, id, by)),
    release: (id) => orUnavailable(releaseBatch(context, id)),
  };
}
