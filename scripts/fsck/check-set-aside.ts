/** Batches kept out of the inventory as a whole: that the manifest's list of them can be read, and contradicts nothing. */
import type { Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import { readSetAside } from '../../src/merge/set-aside.ts';
import { MANIFEST_KEY } from '../../src/store/keys.ts';
import { type Look, REBUILD } from './look.ts';

const STOPPED =
  'Lookups are right, but no rollback can be made and no batch set aside or released until it is back: put it back ' +
  'from a copy of the bucket.';

/** Returns the ids, or null if they cannot be read: then nobody knows what the inventory is made of. */
export async function checkSetAside(look: Look, manifest: Manifest): Promise<ReadonlySet<string> | null> {
  const { objects, findings } = look;
  const check = findings.begin('batches set aside');
  const { setAside, replay } = manifest;
  try {
    const ids = (await readSetAside(objects, manifest)).map(({ id }) => id);
    check.looked = ids.length;
    const known = new Set(ids);
    if (known.size !== ids.length) check.error(MANIFEST_KEY, 'has a batch set aside twice', REBUILD);
    if (replay.some((id) => known.has(id))) {
      check.error(MANIFEST_KEY, 'has a batch both set aside and to be merged again', REBUILD);
    }
    findings.count('batches set aside', ids.length);
    return known;
  } catch (error) {
    check.error(setAside.key ?? MANIFEST_KEY, messageOf(error), STOPPED);
    return null;
  }
}
