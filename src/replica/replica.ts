/** A replica: answers lookups from its own copy of the numbers, the verdicts and what the tenant decides with. */

import { redactedLog } from '../lib/errors.ts';
import { Finder } from '../lookup/finder.ts';
import { lookupReadings, unanswered } from '../lookup/lookup.ts';
import { invalidRequest, LookupError, readRequest } from '../lookup/request.ts';
import { refuseSandboxQuota, withSandbox } from '../lookup/sandbox.ts';
import type { PhoneNumber } from '../phone/phone-number.ts';
import { decide, STALE_AFTER_SECONDS } from '../policy/decide.ts';
import type { LookupAnswer, LookupQuery, LookupResult, LookupSource } from '../sdk/middleware/types.ts';
import { Origin, ReplicaError } from './origin.ts';
import { type Copy, CopyObjects, CopySlices, type ReplicaStore } from './store.ts';
import { type SyncReport, sync } from './sync.ts';

/**
 * A slice takes two subrequests and an invocation has 10,000; the rest is left for retries. On the free plan, which has
 * 50, set `slicesPerSync` to 15.
 */
const SLICES_PER_SYNC = 4_000;

export interface ReplicaOptions {
  /** Address of the origin, such as `https://ringfence.example.workers.dev`. */
  readonly url: string;
  /** An API key of the origin with the scope `feed`. The replica follows the policy and overrides of its tenant. */
  readonly key: string;
  /** r2ReplicaStore(bucket), or memoryReplicaStore(). */
  readonly store: ReplicaStore;
  /** ISO 3166-1 alpha-2: the country for lookups that name none. */
  readonly country?: string;
  /** The platform's, so that refreshes go on after an answer: `import { waitUntil } from 'cloudflare:workers'`. */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /** An event for the operator's log, without any number. Nothing is logged if not given. */
  readonly log?: (event: string, details: Readonly<Record<string, string | number>>) => void;
  /**
   * What a lookup gets when more than two minutes have passed since the last sync that the origin confirmed: an answer
   * that says `stale` (`serve`, the default), or none, as if storage had failed (`unknown`).
   */
  readonly stale?: 'serve' | 'unknown';
  /** How many slices one sync downloads at most. */
  readonly slicesPerSync?: number;
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly delay?: (ms: number) => Promise<void>;
  /** 0 to 1. */
  readonly random?: () => number;
}

export interface ReplicaStatus {
  /** The generation of the origin. */
  readonly generation: number;
  /** When the origin published it; milliseconds since 1970. */
  readonly publishedAt: number;
  /** Seconds since a sync last found it to be the newest. */
  readonly ageSeconds: number;
  /** Whether answers say that they are stale. */
  readonly stale: boolean;
}

export interface Replica extends LookupSource {
  /**
   * Brings the copy up to date; call it from the cron handler. If it cannot, it rejects and the copy stays as it was.
   */
  sync(): Promise<SyncReport>;
  /**
   * Answers as `POST /v1/lookup` of the origin does, without asking the origin. Does not reject for what the caller
   * sent.
   */
  lookup(query: LookupQuery): Promise<LookupResult>;
  /** null: nothing was synced yet, or the store does not answer. */
  status(): Promise<ReplicaStatus | null>;
}

/**
 * Make one per isolate: it keeps columns in memory.
 * @example
 * const replica = createReplica({ url, key, store: r2ReplicaStore(env.REPLICA), waitUntil });
 */
export function createReplica(options: ReplicaOptions): Replica {
  const {
    store,
    now = () => Date.now(),
    delay: sleep = (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    waitUntil = () => undefined,
    stale = 'serve',
    slicesPerSync = SLICES_PER_SYNC,
    fetch: fetchRequest = (request) => fetch(request),
    random = () => Math.random(),
  } = options;
  const origin = new Origin({ url: options.url, key: options.key, fetch: fetchRequest, sleep, random });
  const log = redactedLog(options.log ?? (() => undefined));
  const objects = new CopyObjects(store);
  const slices = new CopySlices(store);
  // The age of answers is counted from the syncs (below), not from when this isolate last read the copy.
  const maxAgeMs = Number.POSITIVE_INFINITY;
  const finder = new Finder({ objects, slices, now, sleep, log, waitUntil, maxAgeMs });
  const sandboxed = withSandbox(finder, now);
  const ageOf = ({ confirmedAt }: Copy) => Math.max(0, Math.floor((now() - confirmedAt) / 1000));

  async function lookupOrThrow(query: LookupQuery): Promise<LookupAnswer> {
    const request = readRequest({ ...query, country: query.country ?? options.country });
    if ((request.asOf ?? null) !== null) {
      throw invalidRequest('asOf', 'expected none: a replica knows what is listed now');
    }
    return lookupReadings(request, (subject) => lookupSubject(subject, request.scenario));
  }

  async function lookupSubject(subject: PhoneNumber, scenario: string | null | undefined): Promise<LookupAnswer> {
    refuseSandboxQuota(subject.number);
    const { generation: newest } = (await finder.snapshots.get().catch(unavailable)).manifest;
    const [finding] = await sandboxed.find([subject.number], { evidence: false });
    if (!finding) return unavailable();
    // Sandbox numbers belong to no generation: the rules of the newest copy decide on them.
    const isSandbox = finding.generation === 0;
    const copy = objects.copyOf(isSandbox ? newest : finding.generation) ?? unavailable();
    if (stale === 'unknown' && ageOf(copy) > STALE_AFTER_SECONDS) unavailable();
    return decide(subject, isSandbox ? finding : { ...finding, generation: copy.generation, ageSeconds: ageOf(copy) }, {
      ...copy.rules,
      now: now(),
      scenario: scenario ?? null,
      evidence: false,
    });
  }

  return {
    async sync() {
      const report = await sync({ origin, store, slicesPerSync, now, sleep, log });
      // This isolate may answer lookups too; others see the pointer within seconds. A failure here matters only if it
      // is one of the copy itself: a new version of the package may be unable to use what the one before it stored.
      await finder.snapshots.refresh().catch((error) => {
        if (error instanceof ReplicaError) throw error;
      });
      return report;
    },
    async lookup(query) {
      try {
        return { ok: true, answer: await lookupOrThrow(query) };
      } catch (error) {
        if (!(error instanceof LookupError)) throw error;
        return { ok: false, status: error.status, code: error.code, detail: error.detail };
      }
    },
    async status() {
      try {
        const { manifest } = await finder.snapshots.get();
        const copy = objects.copyOf(manifest.generation);
        if (copy === undefined) return null;
        const ageSeconds = ageOf(copy);
        const { generation, publishedAt } = copy;
        return { generation, publishedAt, ageSeconds, stale: ageSeconds > STALE_AFTER_SECONDS };
      } catch {
        return null;
      }
    },
  };
}

function unavailable(): never {
  throw unanswered();
}
