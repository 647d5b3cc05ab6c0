/**
 * What an operator decides (a rollback, a withdrawal, a release, a drop) is a generation of its own, made on the newest
 * one, and anew if another writer publishes first. It takes a second, and a tick takes several: decisions one after the
 * other would keep every tick from publishing. So a tick that has lost its race takes a lease, and goes again;
 * decisions wait until it is given back, or over. The lease is a courtesy: who wins is decided by the swap of the
 * manifest alone.
 */

import { messageOf } from '../lib/errors.ts';
import { type Ledger, readLedger, writeLedger } from '../quality/ledger.ts';
import { TICK_LEASE_KEY } from '../storage/keys.ts';
import type { MergeContext } from './context.ts';
import { readSetAside, type SetAside, writeSetAside } from './failing-batches.ts';
import { NO_BATCHES } from './history.ts';
import type { LoadedManifest } from './last-published.ts';
import { loadManifest, publish } from './publish-manifest.ts';

/** Of several writers at once one wins each second, so this many decisions may be made at the same time. */
const ATTEMPTS = 20;
/** Longer than a tick takes. A tick that stops holds decisions up no longer than this. */
export const LEASE_MS = 60_000;
const LOOK_EVERY_MS = 1_000;

/** A decision was not published, since another writer was first. */
export const LOST = Symbol('lost');

/**
 * Decides on the newest generation. Rejects when storage fails; then the decision may or may not have been made.
 * @param what as errors name it
 * @param decide makes and publishes it; called once an attempt
 */
export async function decideOn<T>(
  context: MergeContext,
  what: string,
  decide: (base: LoadedManifest) => Promise<T | typeof LOST>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await waitForLease(context);
    const decided = await decide(await loadManifest(context.objects));
    if (decided !== LOST) return decided;
  }
  throw new Error(`the ${what} lost to other writers ${ATTEMPTS} times`);
}

async function waitForLease({ objects, now, sleep }: MergeContext): Promise<void> {
  // Pauses are added up, whatever the clocks of storage and isolate say.
  for (let waitedMs = 0; waitedMs < LEASE_MS; waitedMs += LOOK_EVERY_MS) {
    const lease = await objects.head(TICK_LEASE_KEY);
    if (lease === null || now() - lease.uploadedAt >= LEASE_MS) return;
    await sleep(LOOK_EVERY_MS);
  }
}

/**
 * Does a tick's work while decisions wait. Without the lease, should storage not give it, the work is done all the
 * same.
 */
export async function underLease<T>({ objects, log }: MergeContext, work: () => Promise<T>): Promise<T> {
  const orLogged = async (call: Promise<unknown>) => {
    await call.catch((error: unknown) => log('lease.failed', { reason: messageOf(error) }));
  };
  await orLogged(objects.put(TICK_LEASE_KEY, new Uint8Array(1)));
  try {
    return await work();
  } finally {
    // One that stays is over after a minute.
    await orLogged(objects.delete([TICK_LEASE_KEY]));
  }
}

// Bringing back what was set aside, by a rollback or since a tick failed on it: the next ticks merge it.

export type ReleaseResult =
  /** To be merged by the next ticks; it may have been released before. */
  { readonly kind: 'done'; readonly isNew: boolean } | { readonly kind: 'not-set-aside' };

/**
 * Releases a batch, once however often it is asked for. Rejects when storage fails; then it is released or it is not,
 * and the next request does what is left to do.
 */
export async function releaseBatch(context: MergeContext, id: string): Promise<ReleaseResult> {
  const { objects, pace } = context;
  return decideOn(context, 'release', async (base) => {
    const { generation, replay, unscreened } = base.manifest;
    if (replay.includes(id)) return { kind: 'done', isNew: false };
    const aside = await readSetAside(objects, base.manifest, pace);
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

// Publishing what an admin decides of a source in quarantine: a new generation with the ledger changed.

type DecisionResult =
  | { readonly kind: 'done'; readonly generation: number; readonly ledger: Ledger }
  | { readonly kind: 'not-quarantined' };

/**
 * @param decide the ledger as it is to be, or null if the source is not in quarantine; called once an attempt
 * Rejects when storage fails; then the decision may or may not have been made.
 */
export async function decideSource(
  context: MergeContext,
  decide: (ledger: Ledger) => Ledger | null,
): Promise<DecisionResult> {
  return decideOn(context, 'decision', async (base) => {
    const { generation } = base.manifest;
    const ledger = decide(await readLedger(context.objects, base.manifest, context.pace));
    if (ledger === null) return { kind: 'not-quarantined' };
    const key = await writeLedger(context.objects, generation + 1, context.randomId(), ledger, context.pace);
    const published = await publish(context, base, { ledger: key }, NO_BATCHES);
    return published === null ? LOST : { kind: 'done', generation: published.manifest.generation, ledger };
  });
}
