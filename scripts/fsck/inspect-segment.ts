/** A segment's bytes held against what the manifest says of it, down to each record. */
import { EVIDENCE_BLOCK_NUMBERS } from '../../src/format/evidence.ts';
import { EvidenceBlock } from '../../src/format/evidence-block.ts';
import { type Bytes, FormatError } from '../../src/format/frame.ts';
import { MAX_FRESH_AGE } from '../../src/format/fresh.ts';
import type { SegmentEntry } from '../../src/format/manifest.ts';
import { type OpenSegment, openSegment, type SegmentShape } from '../../src/format/segment.ts';

const SHAPE_FIELDS = [
  'first',
  'last',
  'count',
  'numbers',
  'verdicts',
  'evidenceIndex',
  'evidenceBlocksBytes',
] as const satisfies readonly (keyof SegmentShape)[];

/** Throws FormatError, without a number in its message, unless the bytes are the segment of this entry, undamaged. */
export async function inspectSegment(bytes: Bytes, entry: SegmentEntry): Promise<void> {
  const segment = await openSegment(bytes);
  const differing = SHAPE_FIELDS.filter(
    (field) => JSON.stringify(segment.shape[field]) !== JSON.stringify(entry[field]),
  );
  if (differing.length > 0) throw new FormatError(`is another segment than the manifest says: ${differing.join(', ')}`);
  inspectNumbers(segment);
  inspectRecords(segment);
  inspectFresh(segment);
}

function inspectNumbers({ numbers }: OpenSegment): void {
  const all = new Float64Array(numbers.count);
  numbers.copyRange(0, numbers.count, all);
  for (let rank = 1; rank < all.length; rank++) {
    if ((all[rank - 1] as number) >= (all[rank] as number))
      throw new FormatError(`rank ${rank} is out of number order`);
  }
}

/** The parts that a segment is opened without: each record's verdict, each block of evidence. */
function inspectRecords(segment: OpenSegment): void {
  const { verdicts } = segment;
  for (let id = 0; id < verdicts.profileCount; id++) verdicts.profile(id);
  for (let rank = 0; rank < verdicts.count; rank++) {
    const sightings = verdicts.sightings(rank);
    if (!Number.isSafeInteger(sightings) || sightings < 1) {
      throw new FormatError(`rank ${rank} has ${sightings} sightings`);
    }
    if (verdicts.profileId(rank) >= verdicts.profileCount) {
      throw new FormatError(`rank ${rank} has a profile beyond the ${verdicts.profileCount} listed`);
    }
  }
  const blocks = Math.ceil(verdicts.count / EVIDENCE_BLOCK_NUMBERS);
  const columns = new EvidenceBlock();
  for (let block = 0; block < blocks; block++) segment.readEvidence(block, columns);
}

/** The numbers slice tells the first seen of the newest; the verdicts tell it of all. */
function inspectFresh({ numbers: { fresh }, verdicts }: OpenSegment): void {
  const { firstDay } = verdicts.all();
  const newest = firstDay.reduce((latest, day) => Math.max(latest, day), 0);
  firstDay.forEach((day, rank) => {
    const expected = newest - day <= MAX_FRESH_AGE ? day : -1;
    if (fresh?.firstDay(rank) !== expected) throw new FormatError(`rank ${rank} is first seen on different days`);
  });
}
