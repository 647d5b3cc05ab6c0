/** What a manifest says of itself, held against itself. Its reader has checked that segments are in number order. */
import type { Manifest, SegmentEntry } from '../../src/format/manifest.ts';
import { SEGMENT_ALIGNMENT } from '../../src/format/segment.ts';

/** What in a manifest cannot be true at once, each as the end of a sentence about it. */
export function contradictions(manifest: Manifest): string[] {
  const { runs, facts, reached, replay, unscreened, unsliced, generation, parent, retained, compaction, withdrawals } =
    manifest;
  const problems: string[] = [];
  const keys = segmentsInUse(manifest).map(({ key }) => key);
  if (generation === 0) problems.push('is of generation 0, which is never published');
  if ((generation === 1) !== (parent === null)) problems.push(`is of generation ${generation} with parent ${parent}`);
  if (hasRepeats(keys)) problems.push('names a segment twice');
  if (hasRepeats(facts.map(({ key }) => key))) problems.push('names a facts object twice');
  const isStack = reached.every(({ generation: from, day }, i) => {
    const before = reached[i - 1];
    return from <= generation && (before === undefined || (before.generation < from && before.day < day));
  });
  if (!isStack) problems.push('says since when facts have come in, but not in order');
  if (hasRepeats(runs.map(({ id }) => id))) problems.push('has two runs of one name');
  if (hasRepeats(replay)) problems.push('has a batch to be merged again twice');
  if (unscreened.some((id) => !replay.includes(id)))
    problems.push('has a batch to be screened that it is not to merge');
  if (unsliced.some((key) => !keys.includes(key))) problems.push('has a segment without slices that no run names');
  if (withdrawals?.replacing === true && (compaction === null || withdrawals.pending === 0)) {
    problems.push('takes out withdrawn batches, but has none, or no compaction that does');
  }
  const isAscending = retained.every((entry, i) => entry.generation < (retained[i + 1]?.generation ?? generation));
  if (!isAscending) problems.push('retains generations that are not in order');
  return [...problems, ...compactionContradictions(manifest)];
}

function compactionContradictions({ runs, compaction }: Manifest): string[] {
  if (compaction === null) return [];
  const { inputs, output, resumeFrom } = compaction;
  const first = runs.findIndex(({ id }) => id === inputs[0]);
  const problems: string[] = [];
  if (first === -1 || inputs.some((id, i) => runs[first + i]?.id !== id)) {
    problems.push('has a compaction of runs that are not neighbours in it');
  }
  if (resumeFrom % SEGMENT_ALIGNMENT !== 0 || (output.at(-1)?.last ?? -1) >= resumeFrom) {
    problems.push('has a compaction that goes on in the middle of a block, or where it has been');
  }
  return problems;
}

/** Segments of the runs, newest run first, then those of a compaction that is under way. */
export function segmentsInUse({ runs, compaction }: Manifest): SegmentEntry[] {
  return [...runs.flatMap(({ segments }) => segments), ...(compaction?.output ?? [])];
}

function hasRepeats(values: readonly string[]): boolean {
  return new Set(values).size !== values.length;
}
