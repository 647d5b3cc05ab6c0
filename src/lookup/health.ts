/**
 * Health: whether lookups can be answered. Anyone may ask without a key, so the cost is bounded: what a lookup needs is
 * tried at most once in ten seconds, however many ask. Each probe looks up a listed number and one that may not be
 * listed, through the same columns as every lookup, in another segment each time. Health also counts how real lookups
 * ended.
 */

import { messageOf } from '../lib/errors.ts';
import { REFRESH_AFTER_MS, SwrCache } from '../lib/swr-cache.ts';
import { NUMBER_PLAN, type NumberPlanVersion } from '../phone/plan.ts';
import { STALE_AFTER_SECONDS } from '../policy/decide.ts';
import type { Finder } from './finder.ts';
import type { LookupContext, Snapshot } from './snapshot.ts';

/**
 * What can be failing, in words that tell an outsider nothing: there is no recent snapshot; lookups; API keys; tenants'
 * rules.
 */
export const HEALTH_PARTS = ['inventory', 'lookups', 'keys', 'rules'] as const;
export type HealthPart = (typeof HEALTH_PARTS)[number];

export interface Health {
  /** Lookups can be answered. */
  readonly ok: boolean;
  /** null: no snapshot has been read yet. */
  readonly generation: number | null;
  /** Seconds since the snapshot was last confirmed to be the newest. */
  readonly ageSeconds: number | null;
  readonly numberPlan: NumberPlanVersion;
  /** Present unless `ok`. */
  readonly failing?: readonly HealthPart[];
}

export interface HealthDeps extends LookupContext {
  readonly finder: Finder;
  /** These reject when they cannot be read and no recent copy is held. */
  readonly keys: () => Promise<unknown>;
  readonly rules: () => Promise<unknown>;
  /** 0 to below 1. */
  readonly random: () => number;
}

export class HealthCheck {
  readonly #deps: HealthDeps;
  readonly #probes: SwrCache<readonly HealthPart[]>;
  #probed = 0;
  /** The index of the next segment, counted over all runs. Isolates begin at different ones. */
  #next: number;

  constructor(deps: HealthDeps) {
    this.#deps = deps;
    this.#next = Math.floor(deps.random() * 2 ** 20);
    this.#probes = new SwrCache(
      {
        readIfChanged: async () => ({ value: await this.#probe(), etag: String(++this.#probed) }),
        now: () => deps.now(),
        waitUntil: (work) => deps.waitUntil(work),
        sleep: (ms) => deps.sleep(ms),
        report: (error) => this.#report('lookups', error),
      },
      // No result is used for longer than until the next probe may be made.
      { refreshFirstAfterMs: REFRESH_AFTER_MS, maxAgeMs: REFRESH_AFTER_MS },
    );
  }

  /** Never rejects. */
  async check(): Promise<Health> {
    const { finder, now } = this.#deps;
    // If no probe came to an end in time, lookups do not either.
    const failing = new Set<HealthPart>((await this.#probes.get()) ?? ['lookups']);
    const snapshot = finder.snapshots.held;
    const ageSeconds = snapshot === null ? null : snapshot.ageSeconds(now());
    if (ageSeconds === null || ageSeconds > STALE_AFTER_SECONDS) failing.add('inventory');
    if (finder.recent.isFailing()) failing.add('lookups');
    const generation = snapshot?.manifest.generation ?? null;
    const found = { ok: failing.size === 0, generation, ageSeconds, numberPlan: NUMBER_PLAN };
    return found.ok ? found : { ...found, failing: HEALTH_PARTS.filter((part) => failing.has(part)) };
  }

  /** Tries everything once and returns what fails. Never rejects. */
  async #probe(): Promise<readonly HealthPart[]> {
    const { finder, keys, rules } = this.#deps;
    const tries: Readonly<Record<HealthPart, () => Promise<unknown>>> = {
      inventory: () => finder.snapshots.get(),
      lookups: () => this.#lookUpNext(),
      keys,
      rules,
    };
    const failing = await Promise.all(
      HEALTH_PARTS.map(async (part) => {
        try {
          await tries[part]();
          return [];
        } catch (error) {
          this.#report(part, error);
          return [part];
        }
      }),
    );
    return failing.flat();
  }

  async #lookUpNext(): Promise<void> {
    const at = this.#next++;
    await this.#deps.finder.snapshots.use((snapshot) => this.#lookUp(snapshot, at));
  }

  /** Rejects unless the listed number is found, and one between it and the last of its segment is answered. */
  async #lookUp(snapshot: Snapshot, at: number): Promise<void> {
    const { finder, now, random } = this.#deps;
    const entries = snapshot.runs.flatMap((run) => run.entries);
    const entry = entries[at % Math.max(1, entries.length)];
    if (entry === undefined) return;
    const between = entry.first + Math.floor(random() * (entry.last - entry.first));
    await finder.findIn(snapshot, between, now(), { evidence: false });
    const { record } = await finder.findIn(snapshot, entry.first, now(), { evidence: false });
    if (record === null) throw new RangeError(`the first number of ${entry.key} is not found`);
  }

  #report(part: HealthPart, error: unknown): void {
    this.#deps.log('health.failing', { part, reason: messageOf(error) });
  }
}
