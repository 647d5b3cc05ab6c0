/** A store in service, as a new isolate finds it, and the same while its base is being rewritten. */

import type { Manifest } from '../../src/format/manifest.ts';
import { KeyRegistry } from '../../src/keys/registry.ts';
import { compact } from '../../src/merge/compact.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { tick } from '../../src/merge/tick.ts';
import { compilePolicy } from '../../src/policy/cel/compile.ts';
import { MANIFEST_KEY, SEGMENT_PREFIX, WAITING_PREFIX } from '../../src/storage/keys.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';
import { TenantStore } from '../../src/tenants/tenant-store.ts';
import { TEN_RULES } from '../http/routes.ts';
import type { BenchSize } from '../report.ts';
import { type BenchInventory, batchOf, benchContext, openStores, uploadsOf } from '../support/inventory.ts';
import { NullSliceStore, OverlayObjectStore, OverlaySliceStore } from '../support/overlay-store.ts';

/** Enough ticks that there are runs of several sizes at the end. */
const TICKS = 24;
/** The published number of client enterprises: each has a key, and rules of its own. */
const ENTERPRISES = 200;
/** Of the enterprise that asks. */
const OVERRIDES = 200;
/** So many segments are left to write at most when a rewriting of the base is looked at. */
const CHUNK: Readonly<Record<BenchSize, number>> = { full: DEFAULT_BUDGET.compactionSegments, small: 1 };

export interface ServedWorld {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  readonly manifest: Manifest;
  /** The key of an enterprise with ten rules and 200 overrides of its own. */
  readonly token: string;
}

/** The inventory with the fortnight merged on top of it, as a store in service is: a base and a few newer runs. */
export async function servedWorld({ folder, fortnightCsv }: BenchInventory): Promise<ServedWorld> {
  const below = openStores(folder);
  const objects = new OverlayObjectStore(below.objects);
  const slices = new OverlaySliceStore(below.slices);
  const context = benchContext({ objects, slices });
  for (const [i, texts] of uploadsOf(fortnightCsv, TICKS).entries()) {
    for (const [j, csv] of texts.entries()) {
      await objects.put(`${WAITING_PREFIX}${String(i).padStart(3, '0')}-${j}`, await batchOf(csv));
    }
    await tick(context);
  }
  // Minutes without detections, until nothing is left to compact: 24 times 40,000 came at once, and not in a fortnight.
  for (let before = -1; before !== (await loadManifest(objects)).manifest.generation; ) {
    before = (await loadManifest(objects)).manifest.generation;
    await tick(context);
  }
  return { objects, slices, manifest: (await loadManifest(objects)).manifest, token: await addEnterprises(objects) };
}

/** What makes keys, policies and overrides in a store. */
export function makersOf(objects: ObjectStore): { readonly registry: KeyRegistry; readonly tenants: TenantStore } {
  const deps = {
    objects,
    now: () => Date.now(),
    waitUntil: () => undefined,
    report: (error: unknown) => console.error(error),
    randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
    sleep: async () => {},
  };
  return {
    registry: new KeyRegistry({ ...deps, adminKey: null }),
    tenants: new TenantStore({ ...deps, holder: null }),
  };
}

/** @returns the key of the last */
export async function addEnterprises(objects: ObjectStore): Promise<string> {
  const { registry, tenants } = makersOf(objects);
  const policy = compilePolicy(TEN_RULES);
  let token = '';
  for (let i = 0; i < ENTERPRISES; i++) {
    const tenant = `enterprise-${i}`;
    const created = await registry.create({ name: tenant, tenant, scopes: ['lookup'] });
    if (created.kind !== 'created') throw new Error('no key was created');
    token = created.key;
    isDone(await tenants.putPolicy({ tenant, by: 'bench' }, policy));
  }
  const last = { tenant: `enterprise-${ENTERPRISES - 1}`, by: 'bench' };
  for (let i = 0; i < OVERRIDES; i++) {
    const override = {
      number: 12_025_550_000 + i,
      list: 'allow',
      reason: 'a test handset of ours',
      expiresAt: null,
    } as const;
    isDone(await tenants.putOverride(last, override));
  }
  return token;
}

function isDone({ kind }: { readonly kind: string }): void {
  if (kind !== 'done') throw new Error(`a tenant's rules could not be put: ${kind}`);
}

/**
 * Begins to rewrite the base together with all newer runs, as ticks do, and stops before the chunk that would end it:
 * then the manifest names the most. What is written is not kept, since no lookup reads it before the end.
 */
export async function rewriteBase(world: ServedWorld, size: BenchSize): Promise<ServedWorld> {
  const { objects } = world;
  const context = benchContext(
    { objects: new Unkept(objects), slices: new NullSliceStore() },
    { ...DEFAULT_BUDGET, compactionSegments: CHUNK[size] },
  );
  const base = world.manifest.runs.at(-1)?.id;
  for (;;) {
    const before = await objects.get(MANIFEST_KEY);
    if (before === null) throw new Error('the store has no manifest');
    await compact(context, await loadManifest(objects), (runs) => runs);
    if ((await loadManifest(objects)).manifest.runs.at(-1)?.id !== base) {
      await objects.put(MANIFEST_KEY, before.bytes);
      return { ...world, manifest: (await loadManifest(objects)).manifest };
    }
  }
}

/** Takes segments and keeps none. */
class Unkept extends OverlayObjectStore {
  readonly #below: ObjectStore;

  constructor(below: ObjectStore) {
    super(below);
    this.#below = below;
  }

  override async put(...args: Parameters<ObjectStore['put']>): ReturnType<ObjectStore['put']> {
    const [key, bytes] = args;
    return key.startsWith(SEGMENT_PREFIX)
      ? { key, etag: '', sizeBytes: bytes.length, uploadedAt: Date.now() }
      : this.#below.put(...args);
  }
}
