/** Builds the control Worker of an isolate from its parts. */
import { createControlFetch } from '../api/control-app.ts';
import type { ControlServices } from '../api/services.ts';
import { statusOf } from '../api/state.ts';
import { Briefings, collectBriefings } from '../briefing/briefings.ts';
import { readCensus } from '../briefing/census.ts';
import { acceptDetections } from '../ingest/accept.ts';
import { Pacer } from '../lib/cooperate.ts';
import type { Finder } from '../lookup/finder.ts';
import { sample } from '../lookup/sample.ts';
import { withSandbox } from '../lookup/sandbox.ts';
import { DEFAULT_BUDGET, type MergeContext, type TickBudget } from '../merge/context.ts';
import { LastPublished } from '../merge/last-published.ts';
import { loadManifest } from '../merge/publish-manifest.ts';
import { rollback } from '../merge/rollback.ts';
import { batchService, qualityService } from '../merge/services.ts';
import { readStatus } from '../merge/status.ts';
import { quarantinedSources, readLedger } from '../quality/ledger.ts';
import { parseBounds } from '../quality/quarantine.ts';
import { HeldWrites } from '../storage/held-writes.ts';
import { orUnavailable } from '../storage/store.ts';
import { collectDocuments } from '../tenants/collect.ts';
import { TenantStore } from '../tenants/tenant-store.ts';
import type { Env, Isolate, Stores } from './isolate.ts';

export interface ControlSettings {
  /** What a source of detections is held to, as JSON, laid over the defaults (src/quality/quarantine.ts). */
  readonly RINGFENCE_QUALITY?: string;
}

export interface ControlEnv extends Env, ControlSettings {}

/** What the crons work with (crons.ts). */
export interface Crons {
  readonly merge: MergeContext;
  readonly finder: Finder;
  readonly briefings: Briefings;
}

export interface Control extends Crons {
  readonly services: ControlServices;
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** The stores of an isolate of this Worker: what it writes it need not read again. */
export function controlStores({ objects, slices }: Stores): Stores {
  return { objects: new HeldWrites(objects), slices };
}

/** @throws RangeError for settings that cannot be used */
export function createControl(
  isolate: Isolate,
  settings: ControlSettings,
  budget: TickBudget = DEFAULT_BUDGET,
): Control {
  const { objects, slices, now, random, randomBytes, randomId, sleep, log } = isolate;
  const { limiters, labels, finder, keys, rules } = isolate;
  const report = isolate.reportAs('tenants.unavailable');
  const tenants = new TenantStore({ objects, now, randomBytes, sleep, report, holder: rules });
  // One pacer for all work of the isolate.
  const pace = new Pacer(isolate.turn);
  const merge: MergeContext = {
    ...{ objects, slices, now, sleep, pace, log, randomId, budget },
    bounds: parseBounds(settings.RINGFENCE_QUALITY),
    gathers: true,
    lastPublished: new LastPublished(),
    numbers: {
      load: (entry) => finder.columns.numbers.loadFromSegment(entry),
      retain: (entries) => finder.columns.numbers.retain(entries),
    },
    collectors: {
      briefings: () => collectBriefings(objects, now(), pace),
      documents: () => collectDocuments({ objects, now }),
    },
  };
  const briefings = new Briefings({
    objects,
    manifest: async () => (await loadManifest(objects)).manifest,
    quarantined: async (manifest) => quarantinedSources(await readLedger(objects, manifest, pace)),
    horizonDaysOf: (names) => labels.horizonDaysOf(names),
    now,
    sleep,
    pace,
    log,
  });
  const services: ControlServices = {
    ...{ keys, limiters, now, random, randomId, pace, log, rules, labels, tenants, briefings },
    finder: withSandbox(finder, now),
    sampler: async (inventory, clear) => orUnavailable(sample(finder, inventory, clear, random)),
    accept: (upload) => acceptDetections(upload, { objects, now, randomId, labels, pace }),
    rollback: (generation, options) => orUnavailable(rollback(merge, generation, options)),
    batches: batchService(merge),
    quality: qualityService(merge, { randomBytes, sleep, report: isolate.reportAs('canaries.unavailable') }),
    status: async () => {
      const [status, census] = await orUnavailable(
        Promise.all([readStatus(objects, now(), pace), readCensus(objects)]),
      );
      return statusOf(status, census, now());
    },
  };
  return { services, fetch: createControlFetch(services), merge, finder, briefings };
}
