/** What a copy consists of: its slices, and what their bytes must be. */

import {
  decodeManifest,
  EMPTY_MANIFEST,
  encodeManifest,
  type Manifest,
  type SegmentEntry,
} from '../format/manifest.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import {
  checkedSlice,
  headBytes,
  numbersSlice,
  openHead,
  partsOf,
  SEGMENT_HEADER_BYTES,
  type SliceShape,
  verdictsSlice,
  wholeObject,
} from '../format/segment.ts';
import { VerdictsReader } from '../format/verdicts.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { isWholeFrame } from '../lib/frame.ts';
import { openPolicy } from '../policy/cel/evaluate.ts';
import type { TenantRules } from '../policy/decide.ts';
import { LabelLevels } from '../policy/labels.ts';
import { Overrides } from '../policy/overrides.ts';
import { replicaSliceKey } from '../storage/keys.ts';
import { parseFeedConfig } from './feed-config.ts';
import type { FeedManifest, FeedSegment } from './feed-manifest.ts';
import { type NamedSlice, ReplicaError } from './origin.ts';

/** Everything that a manifest names, by hash, newest run first. Throws FormatError for one of two lengths. */
export function slicesOf({ runs, config }: FeedManifest): ReadonlyMap<string, NamedSlice> {
  const slices = new Map<string, NamedSlice>();
  const add = (slice: NamedSlice) => {
    const known = slices.get(slice.sha256);
    if (known !== undefined && known.bytes !== slice.bytes) {
      throw new FormatError(`feed manifest: slice ${slice.sha256} has ${known.bytes} and ${slice.bytes} bytes`);
    }
    slices.set(slice.sha256, slice);
  };
  const addSlice = (shape: SliceShape, open: (bytes: Bytes) => void) =>
    add({
      ...shape,
      path: `slices/${shape.sha256}`,
      check: (bytes) => checkedSlice(bytes, shape),
      open: async (bytes) => open(bytes),
    });
  addSlice(config, (bytes) => void openConfig(bytes));
  for (const { segments } of runs) {
    for (const segment of segments) {
      const { numbers, verdicts, count } = segment;
      if (verdicts === undefined) {
        const entry = localEntry(segment);
        add({
          ...{ sha256: numbers.sha256, bytes: headBytes(entry), path: `segments/${numbers.sha256}` },
          check: (bytes) => checkHead(bytes, entry),
          open: (bytes) => openHead(bytes, entry),
        });
      } else {
        addSlice(numbers, (bytes) => expectCount(openNumbersSlice(bytes).count, count));
        addSlice(verdicts, (bytes) => expectCount(new VerdictsReader(bytes).count, count));
      }
    }
  }
  return slices;
}

/** Rejects with FormatError unless the numbers have their hash, and the verdicts that which the numbers slice says. */
async function checkHead(bytes: Bytes, entry: SegmentEntry): Promise<void> {
  if (bytes.length !== headBytes(entry) || !isWholeFrame(bytes.subarray(0, SEGMENT_HEADER_BYTES))) {
    throw new FormatError(
      `expected ${headBytes(entry)} bytes of a segment, found ${bytes.length}, or a damaged header`,
    );
  }
  const numbers = await checkedSlice(numbersSlice({ file: bytes, shape: entry }), entry.numbers);
  const { verdicts } = partsOf(entry, openNumbersSlice(numbers));
  await checkedSlice(verdictsSlice({ file: bytes, shape: entry }), verdicts);
}

function expectCount(found: number, expected: number): void {
  if (found !== expected) throw new FormatError(`expected a column of ${expected} records, found ${found}`);
}

/** What the origin decides with for the replica's tenant. */
export interface ReplicaRules extends TenantRules {
  readonly levels: LabelLevels;
}

/**
 * Throws FormatError or TreeError unless the bytes are a configuration that this version can follow, and ReplicaError
 * `outdated` if the origin does not send what its policy was compiled to.
 */
export function openConfig(bytes: Bytes): ReplicaRules {
  const { levels, unknownLabel, policy, tree, overrides } = parseFeedConfig(bytes);
  if (tree === undefined) {
    throw new ReplicaError('outdated', 'expected a compiled policy in the configuration: deploy the origin anew');
  }
  return {
    levels: new LabelLevels(levels, unknownLabel),
    policy: openPolicy(policy, tree),
    overrides: Overrides.of(overrides),
  };
}

/** No evidence is copied, and nothing asks for a column with this hash. */
const NO_EVIDENCE: SliceShape = { bytes: 0, sha256: '0'.repeat(64) };

/**
 * A segment as lookups of a replica find it. Throws FormatError if the manifest does not say how long its verdicts are.
 */
function localEntry({ verdicts, verdictsBytes, ...segment }: FeedSegment): SegmentEntry {
  if (verdicts !== undefined) {
    return wholeObject(segment, { verdicts, evidenceIndex: NO_EVIDENCE, evidenceBlocksBytes: 0 });
  }
  if (verdictsBytes === undefined) throw new FormatError('feed manifest: a segment without verdicts');
  const key = replicaSliceKey(segment.numbers.sha256);
  const entry = { ...segment, key, offset: 0, verdictsBytes, bytes: 0, parts: null };
  return { ...entry, bytes: headBytes(entry) };
}

/**
 * The manifest as lookups read it (src/format/manifest.ts). Throws FormatError unless its segments are in number order,
 * which lookups rely on.
 * @param sequence stands for the generation, so that a later copy is always newer
 */
export function localManifest(feed: FeedManifest, sequence: number): Bytes {
  const runs = feed.runs.map(({ segments }, i) => ({
    id: `run-${i}`,
    newNumbers: 0,
    segments: segments.map(localEntry),
  }));
  // Those of version 1 are slices; the others are read like segments.
  const whole = runs.flatMap(({ segments }) => segments).filter(({ parts }) => parts === null);
  const manifest: Manifest = {
    ...EMPTY_MANIFEST,
    generation: sequence,
    publishedAt: feed.publishedAt,
    runs,
    missingSlices: whole.map(({ key }) => key),
  };
  const bytes = encodeManifest(manifest);
  decodeManifest(bytes);
  return bytes;
}
