import type { Channel, Industry } from './vocabulary.ts';

/** A private receiver link, kept without its secret: host in the clear, the whole URL only as a digest. */
export interface LinkDigest {
  /** Lower-case host name of the link. */
  readonly host: string;
  /** SHA-256 of the whole link as given, 64 lower-case hex digits. */
  readonly sha256: string;
}

/** The attributes of a detection; detections of one number that share them are one line of its evidence. */
export interface Circumstances {
  readonly label: string;
  readonly channel: Channel;
  readonly industry: Industry | null;
  readonly project: string | null;
  readonly link: LinkDigest | null;
  readonly source: string | null;
}

/** One accepted observation of a number (or one aggregated list entry), as validated at the edge. */
export interface Detection extends Circumstances {
  /** E.164 digits as an integer, at most 15 digits. */
  readonly number: number;
  /** Seconds since 1970, UTC. The observation, or the last one of an aggregate. */
  readonly observedAt: number;
  /** Seconds since 1970, UTC; not after `observedAt`. Equal to it unless the line is an aggregate. */
  readonly firstSeenAt: number;
  /** How many observations the line stands for, at least 1. */
  readonly sightings: number;
}
