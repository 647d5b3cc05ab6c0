/** The store that a build publishes to: whether it may, and whether it already has. */
import type { Manifest } from '../../src/format/manifest.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { batchesSince, NO_BATCHES } from '../../src/merge/history.ts';
import { type LoadedManifest, loadManifest, publish } from '../../src/merge/publish.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { BuildError } from './build-error.ts';
import type { Journal } from './journal.ts';

/** @throws BuildError `store-not-empty` */
export function assertEmpty({ runs, compaction, generation }: Manifest): void {
  if (runs.length === 0 && compaction === null) return;
  throw new BuildError(
    'store-not-empty',
    `the store has an inventory already, generation ${generation}: a build needs one that is new. Give another --state, or send the files with npm run import`,
  );
}

/**
 * Makes sure that there is a manifest. Batches may only be put among the merged ones when there is: without, they are
 * the sign of a store that has lost it, and nothing would be published on top of them (src/store/lost-manifest.ts). The
 * first generation has no runs; stopped after it, the store is one that lists nothing.
 *
 * @throws BuildError `store-changed`
 */
export async function openGeneration(context: MergeContext): Promise<LoadedManifest> {
  const base = await loadManifest(context.objects);
  assertEmpty(base.manifest);
  if (base.etag !== null) return base;
  const opened = await publish(context, base, {}, NO_BATCHES);
  if (opened === null) throw changed();
  assertEmpty(opened.manifest);
  return opened;
}

/** The generation that an earlier run of this build has published, though it did not live to note it. */
export async function publishedBefore(
  objects: ObjectStore,
  journal: Journal,
  batchIds: readonly string[],
): Promise<boolean> {
  const publishing = journal.last('publishing');
  const [first] = batchIds;
  if (publishing === null || first === undefined) return false;
  const { manifest } = await loadManifest(objects);
  if (manifest.commit === publishing.commit) return false;
  return (await batchesSince(objects, manifest, publishing.generation)).includes(first);
}

export function changed(): BuildError {
  return new BuildError(
    'store-changed',
    'another writer published while the inventory was built, and it was not published: stop whatever else works on the store, and run the same command again',
  );
}
