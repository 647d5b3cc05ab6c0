import { createHash } from 'node:crypto';
import { loadManifest } from '../../src/merge/publish.ts';
import type { ObjectStore } from '../../src/store/store.ts';

/** Of all columns of the present generation, in order: what must not depend on how the same detections came together. */
export async function columnsSha256(objects: ObjectStore): Promise<string> {
  const hash = createHash('sha256');
  const { runs } = (await loadManifest(objects)).manifest;
  for (const { numbers, verdicts, evidenceIndex, evidenceBlocksBytes } of runs.flatMap(({ segments }) => segments)) {
    hash.update(`${numbers.sha256} ${verdicts.sha256} ${evidenceIndex.sha256} ${evidenceBlocksBytes}\n`);
  }
  return hash.digest('hex');
}
