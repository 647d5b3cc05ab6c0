/** Bringing back what was set aside, by a rollback or since a tick failed on it: the next ticks merge it. */
import type { MergeContext } from './context.ts';
import { decideOn, LOST } from './decisions.ts';
import { NO_BATCHES } from './history.ts';
import { publish } from './publish.ts';
import { readSetAside, type SetAside, writeSetAside } from './set-aside.ts';

export type ReleaseResult =
  /** To be merged by the next ticks; it may have been released before. */
  { readonly kind: 'done'; readonly isNew: boolean } | { readonly kind: 'not-set-aside' };

/**
 * Releases a batch, once however often it is asked for. Rejects when storage fails; then it is released or it is not,
 * and the next request does what is left to do.
 */
export async function releaseBatch(context: MergeContext, id: string): Promise<ReleaseResult> {
  const { objects } = context;
  return decideOn(context, 'release', async (base) => {
    const { generation, replay, unscreened } = base.manifest;
    if (replay.includes(id)) return { kind: 'done', isNew: false };
    const aside = await readSetAside(objects, base.manifest);
    const found = aside.find((one) => one.id === id);
    if (found === undefined) return { kind: 'not-set-aside' };
    const left = aside.filter((one) => one !== found);
    const change = {
      setAside: await writeSetAside(objects, generation + 1, context.randomId(), left),
      replay: [...replay, id],
      unscreened: wasScreened(found) ? unscreened : [...unscreened, id],
    };
    return (await publish(context, base, change, NO_BATCHES)) === null ? LOST : { kind: 'done', isNew: true };
  });
}

/** Whether its lines were counted and its sources judged when it was merged first. */
function wasScreened({ reason }: SetAside): boolean {
  return reason === 'rollback';
}
