/** A world with an honest source and one that is beyond its bounds. All numbers are reserved for fiction. */

import type { Detection } from '../../../src/format/attributes.ts';
import { BatchBuilder, type SourceLines } from '../../../src/format/batch.ts';
import type { SourceName } from '../../../src/format/source.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { decideSource } from '../../../src/merge/decisions.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { tick } from '../../../src/merge/tick.ts';
import { dropped, released } from '../../../src/quality/decide.ts';
import { type Ledger, readLedger } from '../../../src/quality/ledger.ts';
import { WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { fictionNumber } from '../../support/detections.ts';
import type { World } from '../../support/world.ts';

const MINUTE_MS = 60_000;
const AT = 1_750_000_000;

export const HONEST = 'honest';
export const POISON = 'poison';

/** Detections by a source of the fictitious numbers from `first` on. */
export function reported(source: SourceName, first: number, count: number, more: Partial<Detection> = {}): Detection[] {
  return Array.from({ length: count }, (_, i) => ({
    number: fictionNumber(first + i),
    observedAt: AT + i,
    firstSeenAt: AT + i,
    sightings: 1,
    label: 'modem_pool_card',
    channel: 'otp_marketplace',
    industry: null,
    project: null,
    link: null,
    source,
    ...more,
  }));
}

/** Of a source whose lines are all accepted, but for `unassigned` more. */
export function lines(source: SourceName, accepted: number, unassigned = 0): SourceLines {
  return { source, lines: accepted + unassigned, accepted, unassigned, invalid: 0, fixedLine: 0 };
}

export async function uploadLines(
  world: World,
  id: string,
  detections: readonly Detection[],
  sources?: readonly SourceLines[],
  owner?: { readonly tenant: string; readonly key: string },
): Promise<void> {
  const builder = new BatchBuilder();
  for (const detection of detections) builder.add(detection);
  const receipt = {
    ...{ bodySha256: '', accepted: detections.length, rejected: 0, errors: [] },
    ...(owner === undefined ? {} : { owner }),
  };
  const bytes = builder.finish(sources === undefined ? receipt : { ...receipt, sources });
  await world.objects.memory.put(WAITING_PREFIX + id, bytes);
}

export const HONEST_ROWS = reported(HONEST, 0, 300);
/** The last fifty are the honest source's first fifty. */
export const POISON_ROWS = [...reported(POISON, 400, 250), ...reported(POISON, 0, 50)];

/** One upload of both sources: every third line of the poisoned one is in no assigned range. */
export async function uploadBoth(world: World, id = 'both'): Promise<void> {
  await uploadLines(world, id, [...POISON_ROWS, ...HONEST_ROWS], [lines(HONEST, 300), lines(POISON, 300, 150)]);
}

export async function nextTick(world: World) {
  world.clock += MINUTE_MS;
  return tick(world);
}

export async function ledgerOf(world: World): Promise<Ledger> {
  return readLedger(world.objects.memory, (await loadManifest(world.objects.memory)).manifest, UNPACED);
}

export const release = (world: World, source: SourceName) =>
  decideSource(world, (ledger) => released(ledger, { source, by: 'admin', now: world.clock }));

export const drop = (world: World, source: SourceName) =>
  decideSource(world, (ledger) => dropped(ledger, { source, by: 'admin', now: world.clock }));
