/** Slices from the origin into the store, each checked before it is put there. */
import { sideBySide } from '../store/side-by-side.ts';
import type { NamedSlice } from './contents.ts';
import { ReplicaError } from './errors.ts';
import { sliceKey } from './pointer.ts';
import type { SyncContext, Tally } from './sync.ts';

/**
 * 'gone': the origin has one of them no more. Rejects with ReplicaError, or when the store fails. In both cases those
 * that are in the store by then stay, whole, and the pointer does not lead to them yet.
 */
export async function download(
  { origin, store }: Pick<SyncContext, 'origin' | 'store'>,
  slices: readonly NamedSlice[],
  tally: Tally,
): Promise<'all' | 'gone'> {
  let outcome: 'all' | 'gone' = 'all';
  let hasFailed = false;
  await sideBySide(slices, async (slice) => {
    // After a failure the others would go on unseen, to the last slice.
    if (hasFailed || outcome === 'gone') return;
    try {
      const bytes = await origin.slice(slice);
      if (bytes === 'gone') {
        outcome = 'gone';
        return;
      }
      check(slice, bytes);
      await store.put(sliceKey(slice.sha256), bytes);
      tally.slicesDownloaded += 1;
      tally.bytesDownloaded += bytes.length;
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
  return outcome;
}

/** The hash is right, so this is what the origin means: a newer format, for one, that this version cannot read. */
function check(slice: NamedSlice, bytes: Uint8Array<ArrayBuffer>): void {
  try {
    slice.open(bytes);
  } catch (error) {
    if (error instanceof ReplicaError) throw error;
    // The cause may quote a rule of the policy, never a number (src/feed/config.ts).
    const reason = error instanceof Error ? error.message : 'it cannot be read';
    throw new ReplicaError('invalid', `slice ${slice.sha256}: ${reason}`, error);
  }
}
