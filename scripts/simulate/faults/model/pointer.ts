/** What a replica's pointer may become: it goes forward, whoever swaps it (docs/REPLICA.md). */
import { readJson } from './decode.ts';

interface PointerFile {
  readonly sequence: number;
  readonly generation: number;
  readonly manifest: { readonly sha256: string };
  readonly confirmedAt: number;
  /** Since when the origin has had an older generation. */
  readonly olderSince: number | null;
}

/** An origin that has been older for so long is followed: it was put back from a copy. */
const OLDER_FOR_MS = 15 * 60_000;

export function checkPointers(
  before: Uint8Array,
  after: Uint8Array,
  onBroken: (invariant: string, detail: string) => void,
): void {
  const [then, now] = [readJson(before) as PointerFile, readJson(after) as PointerFile];
  const isOther = then.manifest.sha256 !== now.manifest.sha256;
  if (now.sequence < then.sequence || (isOther && now.sequence === then.sequence)) {
    onBroken('a replica goes forward', `sequence ${now.sequence} came after ${then.sequence}`);
  }
  const hasWaited = then.olderSince !== null && now.confirmedAt - then.olderSince >= OLDER_FOR_MS;
  if (now.generation < then.generation && !hasWaited) {
    onBroken('a replica goes forward', `generation ${now.generation} came after ${then.generation}`);
  }
}
