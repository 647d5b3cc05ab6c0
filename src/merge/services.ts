/** What operators ask for and decide: batches, sources and canaries, on the store as it is now. */

import { idOf, type SourceId } from '../format/source.ts';
import { CanaryStore } from '../quality/canaries.ts';
import { chosen, dropped, released, type SourceChoice } from '../quality/decide.ts';
import { type Ledger, readLedger } from '../quality/ledger.ts';
import { type Bounds, DEFAULT_BOUNDS } from '../quality/quarantine.ts';
import type { CasObjectDeps } from '../storage/cas-object.ts';
import { orUnavailable } from '../storage/store.ts';
import { type BatchPage, type BatchQuery, type BatchState, BatchStates, listBatches } from './batches.ts';
import type { MergeContext } from './context.ts';
import { decideSource, type ReleaseResult, releaseBatch } from './decisions.ts';
import { readSetAside, type SetAside, unmergeable } from './failing-batches.ts';
import { loadManifest } from './publish-manifest.ts';
import { type WithdrawResult, withdraw } from './withdraw.ts';

export interface BatchService {
  /** null: `after` is not a `next` that a page has given. */
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
      orUnavailable(BatchStates.read(objects, tellsHeld, pace).then((states) => states.of(id, accepted))),
    withdraw: (id, by) => orUnavailable(withdraw(context, id, by)),
    release: (id) => orUnavailable(releaseBatch(context, id)),
  };
}

// Sources and canaries, for who operates them: reads and decisions on the store as it is now.

export interface QualityService {
  readonly bounds: Bounds;
  readonly canaries: CanaryStore;
  /** Of the current generation. */
  ledger(): Promise<Ledger>;
  /** Batches that ticks could not merge, the last first. */
  setAside(): Promise<readonly SetAside[]>;
  /** @param by id of the key of whoever decides */
  release(choice: SourceChoice, by: string): Promise<ChoiceResult>;
  drop(choice: SourceChoice, by: string): Promise<ChoiceResult>;
}

type ChoiceResult =
  | { readonly kind: 'done'; readonly generation: number; readonly ledger: Ledger; readonly id: SourceId }
  | { readonly kind: 'not-quarantined' }
  /** Several in quarantine are called so: nothing was decided. */
  | { readonly kind: 'ambiguous'; readonly candidates: readonly SourceId[] };

/** All reject with StorageUnavailable when the storage does not answer, but for `canaries` (CasObject). */
export function qualityService(
  context: MergeContext,
  deps: Pick<CasObjectDeps, 'randomBytes' | 'sleep' | 'report'>,
): QualityService {
  const { objects, pace } = context;
  return {
    bounds: context.bounds ?? DEFAULT_BOUNDS,
    canaries: new CanaryStore({ ...deps, objects }),
    ledger: () => orUnavailable(loadManifest(objects).then(({ manifest }) => readLedger(objects, manifest, pace))),
    setAside: () =>
      orUnavailable(
        loadManifest(objects).then(async ({ manifest }) =>
          unmergeable(await readSetAside(objects, manifest, pace)).toReversed(),
        ),
      ),
    release: (choice, by) => orUnavailable(decideChosen(context, choice, by, released)),
    drop: (choice, by) => orUnavailable(decideChosen(context, choice, by, dropped)),
  };
}

async function decideChosen(
  context: MergeContext,
  choice: SourceChoice,
  by: string,
  decide: typeof released,
): Promise<ChoiceResult> {
  let candidates: readonly SourceId[] = [];
  const result = await decideSource(context, (ledger) => {
    candidates = chosen(ledger, choice).map(idOf);
    const [id, other] = candidates;
    return id === undefined || other !== undefined ? null : decide(ledger, { ...id, by, now: context.now() });
  });
  const [id, other] = candidates;
  if (other !== undefined) return { kind: 'ambiguous', candidates };
  return result.kind === 'done' && id !== undefined ? { ...result, id } : { kind: 'not-quarantined' };
}
