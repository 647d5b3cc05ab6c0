/** Manifests as earlier versions wrote them: today's encoder only writes the present one. */
import { decodeManifest, encodeManifest, type Manifest, type SegmentEntry } from '../../src/format/manifest.ts';
import { ByteReader, type Bytes, ByteWriter, fromHex } from '../../src/lib/bytes.ts';
import { frame, openFrame } from '../../src/lib/frame.ts';
import { readOutput } from '../../src/merge/compaction-output.ts';
import { generationKey, MANIFEST_KEY, RETAINED_PREFIX } from '../../src/storage/keys.ts';
import type { ObjectStore } from '../../src/storage/store.ts';

/** The rows of the table in versions 1 and 2. */
function rowsOfVersion2(entries: readonly SegmentEntry[]): Bytes {
  const writer = new ByteWriter();
  let previous = '';
  for (const { key, first, last, count, numbers, verdicts, evidenceIndex, evidenceBlocksBytes } of entries) {
    let shared = 0;
    while (shared < Math.min(previous.length, key.length) && previous[shared] === key[shared]) shared += 1;
    writer.varint(shared);
    writer.text(key.slice(shared));
    const sizes = [numbers.bytes, verdicts.bytes, evidenceIndex.bytes, evidenceBlocksBytes];
    for (const integer of [first, last - first, count, ...sizes]) writer.varint(integer);
    for (const { sha256 } of [numbers, verdicts, evidenceIndex]) writer.raw(fromHex(sha256));
    previous = key;
  }
  return writer.view();
}

/** @param output what its compaction has written */
export function encodeManifestOfVersion2(manifest: Manifest, output: readonly SegmentEntry[]): Bytes {
  const { compaction, runs } = manifest;
  const text = new ByteReader(openFrame(encodeManifest(manifest), 'RFMF', 3)).text();
  const head = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const before = { ...head, compaction: compaction && { ...compaction, output: output.length } };
  const writer = new ByteWriter();
  writer.text(JSON.stringify(before));
  writer.raw(rowsOfVersion2([...runs.flatMap(({ segments }) => segments), ...output]));
  return frame('RFMF', 2, writer.view());
}

/** Makes of a store's manifest, with its retained ones, what version 2 would have written. */
export async function asOfVersion2(objects: ObjectStore): Promise<void> {
  const current = decodeManifest((await objects.get(MANIFEST_KEY))?.bytes ?? new Uint8Array());
  const copies = [...current.retained, current].map(({ generation, commit }) =>
    generationKey(RETAINED_PREFIX, generation, commit),
  );
  for (const key of [...copies, MANIFEST_KEY]) {
    const manifest = decodeManifest((await objects.get(key))?.bytes ?? new Uint8Array());
    const output = manifest.compaction === null ? [] : await readOutput(objects, manifest.compaction.output);
    await objects.put(key, encodeManifestOfVersion2(manifest, output));
  }
  const lists = (await objects.list('compactions/')).objects.map(({ key }) => key);
  await objects.delete(lists);
}
