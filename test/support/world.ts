/** A store, a clock and a merge context for tests, and the straight computation to compare with. */

import { collectBriefings } from '../../src/briefing/briefings.ts';
import { attributesText, CHANNELS, type Detection, INDUSTRIES } from '../../src/format/attributes.ts';
import { BatchBuilder } from '../../src/format/batch.ts';
import { EvidenceBlock } from '../../src/format/evidence.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import { profileText } from '../../src/format/records.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET, type MergeContext, type TickBudget } from '../../src/merge/context.ts';
import { LastPublished } from '../../src/merge/last-published.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { tick } from '../../src/merge/tick.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../src/storage/keys.ts';
import { readSegment } from '../../src/storage/slices.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { collectDocuments } from '../../src/tenants/collect.ts';
import { StoreLog, StrictObjectStore, StrictSliceStore } from './strict-stores.ts';

export interface World extends MergeContext {
  readonly storeLog: StoreLog;
  readonly objects: StrictObjectStore;
  readonly slices: StrictSliceStore;
  readonly events: string[];
  clock: number;
}

export const START = Date.UTC(2026, 0, 5, 12, 0);

/** As in service: what a tick writes is one object. */
export function gatheringWorld(budget: Partial<TickBudget> = {}): World {
  return newWorld(budget, true);
}

/** @param gathers whether what a tick writes is one object, and not one each */
export function newWorld(budget: Partial<TickBudget> = {}, gathers = false): World {
  const storeLog = new StoreLog();
  const events: string[] = [];
  let ids = 0;
  const world: World = {
    storeLog,
    events,
    clock: START,
    objects: new StrictObjectStore(storeLog, () => world.clock),
    slices: new StrictSliceStore(storeLog),
    now: () => world.clock,
    sleep: async (ms) => {
      world.clock += ms;
    },
    randomId: () => `id${String(++ids).padStart(6, '0')}`,
    log: (event, details) => {
      events.push(`${event} ${JSON.stringify(details)}`);
    },
    // So that a few small ticks fold activity, as many do in service.
    pace: UNPACED,
    budget: { ...DEFAULT_BUDGET, activityObjects: 2, ...budget },
    ...(gathers && { gathers, lastPublished: new LastPublished() }),
    // As they are handed in to the Worker's ticks.
    collectors: {
      briefings: () => collectBriefings(world.objects, world.clock, UNPACED),
      documents: () => collectDocuments({ objects: world.objects, now: () => world.clock }),
    },
  };
  return world;
}

/** Puts a batch straight into `waiting`, as an accepted upload is. */
export async function upload(world: World, id: string, detections: readonly Detection[]): Promise<void> {
  const builder = new BatchBuilder();
  for (const detection of detections) builder.add(detection);
  const receipt = { bodySha256: '', accepted: detections.length, rejected: 0, errors: [] };
  await world.objects.memory.put(WAITING_PREFIX + id, builder.finish(receipt));
}

export const MINUTE = 60_000;

/** Uploads `b0`, `b1`, ..., each merged in a minute of its own. @param from the number of the first */
export async function uploadByMinute(world: World, parts: readonly (readonly Detection[])[], from = 0): Promise<World> {
  for (const [i, part] of parts.entries()) {
    await upload(world, `b${from + i}`, part);
    await tick(world);
    world.clock += MINUTE;
  }
  return world;
}

export async function manifestOf({ objects }: World): Promise<Manifest> {
  return (await loadManifest(objects.memory)).manifest;
}

export async function keysOf({ objects }: World, prefix: string): Promise<string[]> {
  return (await objects.memory.list(prefix)).objects.map(({ key }) => key);
}

export interface PlainRecord {
  readonly firstDay: number;
  readonly lastDay: number;
  readonly sightings: number;
  readonly profile: string;
  /** Attributes text, first day and last day (evidenceKey) -> [first, last, sightings]. */
  readonly evidence: Record<string, readonly [number, number, number]>;
}

const DAY = 86_400;
/** What makes a line of evidence; the text comes first, on a line of its own. */
export const evidenceKey = (text: string, first: number, last: number) =>
  `${text}\n${Math.floor(first / DAY)} ${Math.floor(last / DAY)}`;
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byVocabulary = (words: readonly string[]) => (a: string, b: string) => words.indexOf(a) - words.indexOf(b);

/** What the inventory must be after these detections: a straight computation, no code shared with the merge. */
export function expectedInventory(detections: readonly Detection[]): Map<number, PlainRecord> {
  const byNumber = Map.groupBy(detections, ({ number }) => number);
  const records = new Map<number, PlainRecord>();
  for (const number of [...byNumber.keys()].sort((a, b) => a - b)) {
    const own = byNumber.get(number) ?? [];
    const labels = [...new Set(own.map(({ label }) => label))].sort(byCode);
    const channels = [...new Set(own.map(({ channel }) => channel))];
    channels.sort(byVocabulary(CHANNELS));
    const industries = [...new Set(own.flatMap(({ industry }) => industry ?? []))];
    industries.sort(byVocabulary(INDUSTRIES));
    const evidence: Record<string, readonly [number, number, number]> = {};
    const keyOf = (one: Detection) => evidenceKey(attributesText(one), one.firstSeenAt, one.observedAt);
    for (const [key, same] of Map.groupBy(own, keyOf)) {
      evidence[key] = [
        Math.min(...same.map(({ firstSeenAt }) => firstSeenAt)),
        Math.max(...same.map(({ observedAt }) => observedAt)),
        same.reduce((sum, { sightings }) => sum + sightings, 0),
      ];
    }
    records.set(number, {
      firstDay: Math.floor(Math.min(...own.map(({ firstSeenAt }) => firstSeenAt)) / DAY),
      lastDay: Math.floor(Math.max(...own.map(({ observedAt }) => observedAt)) / DAY),
      sightings: own.reduce((sum, { sightings }) => sum + sightings, 0),
      profile: JSON.stringify([labels, channels, industries]),
      evidence,
    });
  }
  return records;
}

/** What the published generation says, read segment by segment and folded across runs by hand. */
export async function actualInventory(objects: ObjectStore): Promise<Map<number, PlainRecord>> {
  const { manifest } = await loadManifest(objects);
  const records = new Map<number, PlainRecord>();
  for (const run of manifest.runs) {
    for (const entry of run.segments) {
      const segment = await readSegment(objects, entry, UNPACED);
      const { numbers, verdicts } = segment;
      const block = new EvidenceBlock();
      const all = numbers.all();
      for (let rank = 0; rank < all.length; rank++) {
        const number = all[rank] as number;
        if (rank % 64 === 0) segment.readEvidence(rank / 64, block);
        const entries = block.entries(rank % 64, segment.evidence);
        const record: PlainRecord = {
          firstDay: verdicts.firstDay(rank),
          lastDay: verdicts.lastDay(rank),
          sightings: verdicts.sightings(rank),
          profile: profileText(verdicts.profile(verdicts.profileId(rank))),
          evidence: Object.fromEntries(
            entries.map(({ attributes, firstSeenAt, lastSeenAt, sightings }) => [
              evidenceKey(attributes, firstSeenAt, lastSeenAt),
              [firstSeenAt, lastSeenAt, sightings] as const,
            ]),
          ),
        };
        const before = records.get(number);
        records.set(number, before === undefined ? record : unite(before, record));
      }
    }
  }
  return new Map([...records].sort(([a], [b]) => a - b));
}

function unite(a: PlainRecord, b: PlainRecord): PlainRecord {
  const lists = [JSON.parse(a.profile), JSON.parse(b.profile)] as string[][][];
  const profile = [0, 1, 2].map((i) => [...new Set(lists.flatMap((list) => list[i] ?? []))]);
  profile[0]?.sort(byCode);
  profile[1]?.sort(byVocabulary(CHANNELS));
  profile[2]?.sort(byVocabulary(INDUSTRIES));
  const evidence = { ...a.evidence };
  for (const [key, [first, last, sightings]] of Object.entries(b.evidence)) {
    const [f, l, s] = evidence[key] ?? [first, last, 0];
    evidence[key] = [Math.min(f, first), Math.max(l, last), s + sightings];
  }
  return {
    firstDay: Math.min(a.firstDay, b.firstDay),
    lastDay: Math.max(a.lastDay, b.lastDay),
    sightings: a.sightings + b.sightings,
    profile: JSON.stringify(profile),
    evidence,
  };
}

/** Every batch is in `waiting` or `merged`. */
export async function batchPlaces(objects: ObjectStore): Promise<{ waiting: string[]; merged: string[] }> {
  const ids = async (prefix: string) => (await objects.list(prefix)).objects.map(({ key }) => key.slice(prefix.length));
  return { waiting: await ids(WAITING_PREFIX), merged: await ids(MERGED_PREFIX) };
}

/** The bytes of the only run of a fully compacted store. */
export async function compactedBytes(objects: ObjectStore): Promise<string[]> {
  const { manifest } = await loadManifest(objects);
  if (manifest.runs.length > 1) throw new Error(`${manifest.runs.length} runs: not compacted`);
  const files: string[] = [];
  for (const entry of manifest.runs[0]?.segments ?? []) {
    const bytes = await objects.getRange(entry.key, entry.offset, entry.bytes);
    files.push(Buffer.from(bytes ?? []).toString('base64'));
  }
  return files;
}
