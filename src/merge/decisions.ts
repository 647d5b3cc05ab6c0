/**
 * What an operator decides (a rollback, a withdrawal, a release, a drop) is a generation of its own, made on the newest
 * one, and anew if another writer publishes first. It takes a second, and a tick takes several: decisions one after the
 * other would keep every tick from publishing. So a tick that has lost its race takes a lease, and goes again; decisions
 * wait until it is given back, or over. The lease is a courtesy: who wins is decided by the swap of the manifest alone.
 */
import { TICK_LEASE_KEY } from '../store/keys.ts';
import { type MergeContext, messageOf } from './context.ts';
import { type LoadedManifest, loadManifest } from './publish.ts';

/** Of those who publish at once one wins each second, so as many may decide at the same time. */
const ATTEMPTS = 20;
/** Longer than a tick takes; one that stops holds decisions up for no longer. */
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
    await giveWay(context);
    const decided = await decide(await loadManifest(context.objects));
    if (decided !== LOST) return decided;
  }
  throw new Error(`the ${what} lost to other writers ${ATTEMPTS} times`);
}

async function giveWay({ objects, now, delay }: MergeContext): Promise<void> {
  // Pauses are added up, whatever the clocks of storage and isolate say.
  for (let waitedMs = 0; waitedMs < LEASE_MS; waitedMs += LOOK_EVERY_MS) {
    const lease = await objects.head(TICK_LEASE_KEY);
    if (lease === null || now() - lease.uploadedAt >= LEASE_MS) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** Does a tick's work while decisions wait. Without the lease, should storage not give it, the work is done all the same. */
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
