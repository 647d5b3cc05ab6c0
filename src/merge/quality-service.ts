/** Sources and canaries, for who operates them: reads and decisions on the store as it is now. */
import { type Bounds, DEFAULT_BOUNDS } from '../quality/bounds.ts';
import { CanaryStore } from '../quality/canaries.ts';
import { dropped, released } from '../quality/decide.ts';
import { type Ledger, readLedger, type SourceName } from '../quality/ledger.ts';
import type { ChangedObjectDeps } from '../store/changed-object.ts';
import { orUnavailable } from '../store/errors.ts';
import type { MergeContext } from './context.ts';
import { loadManifest } from './publish.ts';
import { type DecisionResult, decideSource } from './quarantine.ts';

export interface QualityService {
  readonly bounds: Bounds;
  readonly canaries: CanaryStore;
  /** Of the current generation. */
  ledger(): Promise<Ledger>;
  /** @param by id of the key of whoever decides */
  release(source: SourceName, by: string): Promise<DecisionResult>;
  drop(source: SourceName, by: string): Promise<DecisionResult>;
}

/** All reject with StorageUnavailable when the storage does not answer, but for `canaries` (ChangedObject). */
export function qualityService(
  context: MergeContext,
  deps: Pick<ChangedObjectDeps, 'randomBytes' | 'sleep' | 'report'>,
): QualityService {
  const { objects } = context;
  return {
    bounds: context.bounds ?? DEFAULT_BOUNDS,
    canaries: new CanaryStore({ ...deps, objects }),
    ledger: () => orUnavailable(loadManifest(objects).then(({ manifest }) => readLedger(objects, manifest))),
    release: (source, by) =>
      orUnavailable(decideSource(context, (ledger) => released(ledger, { source, by, now: context.now() }))),
    drop: (source, by) =>
      orUnavailable(decideSource(context, (ledger) => dropped(ledger, { source, by, now: context.now() }))),
  };
}
