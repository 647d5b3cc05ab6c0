/**
 * What the routes of the edge Worker need, handed in by src/wiring/edge.ts; src/api/control-services.ts has what those
 * of the control Worker need.
 *
 * All of these reject with StorageUnavailable (src/storage/store.ts) when storage does not answer, which becomes a 503.
 * Any other rejection is a fault of the software and becomes a 500 with an id.
 */
import type { Limiter } from '../keys/quota.ts';
import type { KeyRegistry } from '../keys/registry.ts';
import type { Health } from '../lookup/health.ts';
import type { LookupDeps } from '../lookup/lookup.ts';
import type { Feed } from '../replica/feed.ts';

export type { Health } from '../lookup/health.ts';
export type { EvidenceLine, Finding, RecordFacts } from '../policy/answer.ts';

/** What serving any request takes: checking its key, counting its quota, and logging its failure. */
export interface RequestServices {
  readonly keys: KeyRegistry;
  /** The rate limiters of the location, for quotas; smallest first. */
  readonly limiters: readonly Limiter[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to below 1. */
  readonly random: () => number;
  /** A text that identifies one failure among all, such as a UUID. */
  randomId(): string;
  /** One structured line; the fields hold no number, no link and no key. */
  log(event: string, fields: Readonly<Record<string, string | number>>): void;
}

export interface EdgeServices extends RequestServices, LookupDeps {
  readonly feed: FeedService;
  /** The files of the reference page; null: there are none. */
  readonly assets: Assets | null;
  health(): Promise<Health>;
}

/** What the routes need of src/replica/feed.ts. */
export type FeedService = Pick<Feed, 'manifest' | 'slice'>;

/** The part of the platform's Fetcher that is needed. */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}
