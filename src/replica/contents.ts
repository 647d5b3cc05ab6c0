/** What a copy consists of: its slices, and what their bytes must be. */

import { decodeManifest, EMPTY_MANIFEST, encodeManifest, type Manifest } from '../format/manifest.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import type { SliceShape } from '../format/segment.ts';
import { VerdictsReader } from '../format/verdicts.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { openPolicy } from '../policy/cel/evaluate.ts';
import type { TenantRules } from '../policy/decide.ts';
import { LabelLevels } from '../policy/labels.ts';
import { Overrides } from '../policy/overrides.ts';
import { parseFeedConfig } from './feed-config.ts';
import type { FeedManifest } from './feed-manifest.ts';
import { ReplicaError } from './origin.ts';

/** A slice that a manifest names. Its content gives its name, so one slice may stand in several places. */
export interface NamedSlice extends SliceShape {
  /** Throws unless the bytes, whose hash is right, can be used by this version. */
  open(bytes: Bytes): void;
}

/** Every slice that a manifest names, by hash, newest run first. Throws FormatError for one of two lengths. */
export function slicesOf({ runs, config }: FeedManifest): ReadonlyMap<string, NamedSlice> {
  const slices = new Map<string, NamedSlice>();
  const add = (shape: SliceShape, open: (bytes: Bytes) => void) => {
    const known = slices.get(shape.sha256);
    if (known !== undefined && known.bytes !== shape.bytes) {
      throw new FormatError(`feed manifest: slice ${shape.sha256} has ${known.bytes} and ${shape.bytes} bytes`);
    }
    slices.set(shape.sha256, { ...shape, open });
  };
  add(config, (bytes) => void openConfig(bytes));
  for (const { segments } of runs) {
    for (const { numbers, verdicts, count } of segments) {
      add(numbers, (bytes) => expectCount(openNumbersSlice(bytes).count, count));
      add(verdicts, (bytes) => expectCount(new VerdictsReader(bytes).count, count));
    }
  }
  return slices;
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
 * The manifest as lookups read it (src/format/manifest.ts). Throws FormatError unless its segments are in number order,
 * which lookups rely on.
 * @param sequence stands for the generation, so that a later copy is always newer
 */
export function localManifest(feed: FeedManifest, sequence: number): Bytes {
  const manifest: Manifest = {
    ...EMPTY_MANIFEST,
    generation: sequence,
    publishedAt: feed.publishedAt,
    runs: feed.runs.map(({ segments }, i) => ({
      id: `run-${i}`,
      newNumbers: 0,
      segments: segments.map((entry) => ({ ...entry, evidenceIndex: NO_EVIDENCE, evidenceBlocksBytes: 0 })),
    })),
  };
  const bytes = encodeManifest(manifest);
  decodeManifest(bytes);
  return bytes;
}
