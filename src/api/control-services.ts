/**
 * What the routes of the control Worker need, handed in by src/wiring/control.ts. They reject as src/api/services.ts
 * says.
 */

import type { AcceptResult, Upload } from '../ingest/accept.ts';
import type { LookupFinder } from '../lookup/finder.ts';
import type { Rules } from '../lookup/lookup.ts';
import type { RollbackResult } from '../merge/rollback.ts';
import type { BatchService, QualityService } from '../merge/services.ts';
import type { LabelLevels } from '../policy/labels.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import type { BriefingService } from './briefings.ts';
import type { RequestServices } from './services.ts';

export interface Status {
  readonly generation: number;
  /** ISO date-time, null before the first generation; all other times are ISO date-times too. */
  readonly publishedAt: string | null;
  readonly inventory: {
    readonly numbers: number;
    readonly active: number;
    /**
     * Date of the census that `active` is computed from (src/briefing/census.ts); null: there is none, all count as
     * active.
     */
    readonly activeAsOf: string | null;
  };
  /** `atLeast`: more wait than were counted. */
  readonly waiting: { readonly batches: number; readonly detections: number; readonly atLeast: boolean };
  /** Newest first. */
  readonly runs: readonly { readonly numbers: number; readonly segments: number; readonly bytes: number }[];
  /** Earlier generations that can be returned to, oldest first. */
  readonly retained: readonly { readonly generation: number; readonly publishedAt: string }[];
  /** Sources that are held back, and their detections, which are not in the inventory. */
  readonly quarantine: { readonly sources: number; readonly detections: number };
  /** Batches that are kept out of the inventory as a whole; `failed`: those that no tick could merge. */
  readonly setAside: { readonly batches: number; readonly failed: number };
  readonly lastTick: {
    readonly at: string | null;
    readonly batches: number;
    readonly detections: number;
    readonly newNumbers: number;
    readonly unreadable: number;
  };
}

/** Numbers of the inventory, and numbers near them that are not listed. */
export interface Samples {
  readonly inventory: readonly number[];
  readonly clear: readonly number[];
}

export interface ControlServices extends RequestServices {
  /** Looks numbers up to try a policy on them. */
  readonly finder: LookupFinder;
  readonly rules: Rules;
  readonly labels: LabelLevels;
  readonly tenants: TenantStore;
  /** Draws numbers to try a policy on; there may be fewer of either kind than asked for. */
  sampler(inventory: number, clear: number): Promise<Samples>;
  readonly briefings: BriefingService;
  status(): Promise<Status>;
  /** Rejects with StorageUnavailable, and with BodyError if the upload cannot be taken. */
  accept(upload: Upload): Promise<AcceptResult>;
  rollback(generation: number, options: { readonly requeue: boolean; readonly by: string }): Promise<RollbackResult>;
  readonly batches: BatchService;
  readonly quality: QualityService;
}
