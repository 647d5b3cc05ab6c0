/** What the store answers about a number; src/serve produces it, decide.ts turns it into an answer. */
import type { Circumstances } from '../format/detection.ts';
import type { Profile } from '../format/profile.ts';

/** Everything the verdicts column knows of one listed number, folded over the runs. */
export interface RecordFacts extends Profile {
  /** UTC days since 1970. */
  readonly firstDay: number;
  readonly lastDay: number;
  /** Accepted detections, at least 1. */
  readonly sightings: number;
}

/** Detections of one number that share their attributes. */
export interface EvidenceLine extends Circumstances {
  /** Seconds since 1970, UTC. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly sightings: number;
}

export interface Finding {
  /** The generation of the snapshot that answered. */
  readonly generation: number;
  /** Seconds since that snapshot was last confirmed to be the newest. */
  readonly ageSeconds: number;
  /** null: the number is not listed. */
  readonly record: RecordFacts | null;
  /** *Other* listed numbers in the same block of 100, and of 1,000. */
  readonly hundred: number;
  readonly thousand: number;
  /** What all that is known of its neighbours says of a number that is not listed (neighbourhood.ts). */
  readonly score: number;
  /** Present if it was asked for and could be read. */
  readonly evidence?: readonly EvidenceLine[];
  /** Present if it was asked for. */
  readonly basis?: Basis;
}

/** What a finding was read from. */
export interface Basis {
  /** Commit id of the generation. */
  readonly commit: string;
  /** The segments that can have the number or its neighbours, of the newest run first; SHA-256 in hex of their parts. */
  readonly segments: readonly {
    readonly key: string;
    readonly numbers: string;
    readonly verdicts: string;
    readonly evidence: string;
  }[];
}
