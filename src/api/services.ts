/**
 * What the routes need of the rest, handed in by src/wiring: those of the edge Worker, and those of the control Worker.
 * Types alone, so that neither Worker gets the other's part.
 *
 * All of these reject with StorageUnavailable (src/storage/store.ts) when storage does not answer, which becomes a 503.
 * Any other rejection is a fault of the software and becomes a 500 with an id.
 */
import type { AcceptResult, Upload } from '../ingest/accept.ts';
import type { KeyRegistry } from '../keys/registry.ts';
import type { Pacer } from '../lib/cooperate.ts';
import type { LookupFinder } from '../lookup/finder.ts';
import type { Health } from '../lookup/health.ts';
import type { LookupDeps, Rules } from '../lookup/lookup.ts';
import type { Samples } from '../lookup/sample.ts';
import type { RollbackResult } from '../merge/rollback.ts';
import type { BatchService, QualityService } from '../merge/services.ts';
import type { NumberPlanVersion } from '../phone/plan.ts';
import type { LabelLevels } from '../policy/labels.ts';
import type { Feed } from '../replica/feed.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import type { BriefingService } from './briefings.ts';
import type { Limiter } from './quota.ts';

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
export type FeedService = Pick<Feed, 'manifest' | 'slice' | 'segment'>;

/** The part of the platform's Fetcher that is needed. */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}

export interface Status {
  readonly generation: number;
  /** ISO date-time, null before the first generation; all other times likewise. */
  readonly publishedAt: string | null;
  readonly inventory: {
    readonly numbers: number;
    readonly active: number;
    /** Date of the census that `active` goes by (src/briefing/census.ts); null: none was taken, all count as active. */
    readonly activeAsOf: string | null;
  };
  /** `atLeast`: more wait than were counted. */
  readonly waiting: { readonly batches: number; readonly detections: number; readonly atLeast: boolean };
  /** Newest first. */
  readonly runs: readonly { readonly numbers: number; readonly segments: number; readonly bytes: number }[];
  /** Earlier generations that can be returned to, oldest first. */
  readonly retained: readonly { readonly generation: number; readonly publishedAt: string }[];
  /** Held back: none of it is in the inventory. */
  readonly quarantine: { readonly sources: number; readonly detections: number };
  /** Batches kept out of the inventory as a whole; `failed`: those that no tick could merge. */
  readonly setAside: { readonly batches: number; readonly failed: number };
  /** What this Worker reads numbers with; the edge's is told by its health. */
  readonly numberPlan: NumberPlanVersion;
  readonly lastTick: {
    readonly at: string | null;
    readonly batches: number;
    readonly detections: number;
    readonly newNumbers: number;
    readonly unreadable: number;
  };
}

export interface ControlServices extends RequestServices {
  /** What long answers give way by. */
  readonly pace: Pacer;
  /** To try a policy on numbers. */
  readonly finder: LookupFinder;
  readonly rules: Rules;
  readonly labels: LabelLevels;
  readonly tenants: TenantStore;
  /** Draws numbers to try a policy on; numbers of both kinds may be fewer than asked for. */
  sampler(inventory: number, clear: number): Promise<Samples>;
  readonly briefings: BriefingService;
  status(): Promise<Status>;
  /** Rejects with BodyError, too, if the upload cannot be taken. */
  accept(upload: Upload): Promise<AcceptResult>;
  rollback(generation: number, options: { readonly requeue: boolean; readonly by: string }): Promise<RollbackResult>;
  readonly batches: BatchService;
  readonly quality: QualityService;
}
