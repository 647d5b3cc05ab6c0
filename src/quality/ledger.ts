/**
 * The ledger: what is known of every source, and which rows of which batches are not in the inventory. Immutable,
 * written before the manifest that names it, so that a decision and what it does to the inventory are one commit.
 * Frame "RFLE" version 1 around JSON.
 *
 * Of each batch merged by the generation, the inventory has every row but
 *   - those of a source with the batch in one of its batch sets (`held`, `due`, `dropped`),
 *   - those that `leftOut`, or a page of it, names by batch, source and number.
 * From the batches and these two the inventory can be rebuilt, to the same bytes.
 */

import * as v from 'valibot';
import type { Manifest } from '../format/manifest.ts';
import { idOf, idText, type SourceId, sourceIdMembers } from '../format/source.ts';
import { FormatError } from '../lib/bytes.ts';
import { jsonWork, type Pacer } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { generationKey, LEDGER_PREFIX } from '../storage/keys.ts';
import type { ObjectStore } from '../storage/store.ts';
import {
  type BatchSet,
  batchSet,
  EMPTY_BATCH_SET,
  excludedMembers,
  foldAll,
  foldExcludedRows,
  foldPages,
} from './batch-set.ts';
import { dayFigures, REASONS } from './quarantine.ts';

/** Ends the key of a ledger with released rows still to be merged: a tick with nothing else to do need not read it. */
const DUE_SUFFIX = '-due';
/** Days of figures kept: four weeks, twice what a jump is measured against. */
export const LEDGER_DAYS = 28;
/** Sources with figures; of more, those with the most lines. With all days of all some 900 KB. */
export const MAX_SOURCES = 300;
/**
 * Sources of one tenant, and of all together, that are held back by name: each takes 200 bad lines, or one with a
 * canary. What an API key uploads beyond that is held back as a whole, as one case of the key.
 */
export const MAX_TENANT_CASES = 100;
export const MAX_CASES = 2_000;

const source = v.nullable(v.string());
const reasons = v.array(v.picklist(REASONS));

const sourceCase = v.object({
  ...sourceIdMembers,
  state: v.picklist(['quarantined', 'released']),
  /** Milliseconds since 1970, of the state. */
  since: count,
  /** Why it was quarantined last. */
  reasons,
  /** Of whoever released or dropped last: the id of their key. */
  by: v.nullable(v.string()),
  /** Kept out until somebody decides. */
  held: batchSet,
  /** Released, to be merged by the next ticks. */
  due: batchSet,
  /** Never to be merged. */
  dropped: batchSet,
  /** After a release: until when, in milliseconds since 1970, the source is not judged for these reasons again. */
  trust: v.nullable(v.object({ until: count, reasons })),
});

const schema = v.object({
  /** By day, oldest first. */
  sources: v.array(v.object({ ...sourceIdMembers, days: v.array(dayFigures) })),
  cases: v.array(sourceCase),
  ...excludedMembers,
  /** What was seen of the canaries, by number. */
  hits: v.array(v.object({ number: count, detections: count, lastAt: count, sources: v.array(source) })),
});

type Stored = v.InferOutput<typeof schema>;
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Ledger = DeepReadonly<Stored>;
export type Case = Ledger['cases'][number];

export const EMPTY_LEDGER: Ledger = { sources: [], cases: [], leftOut: [], leftOutPage: null, hits: [] };

const MAGIC = 'RFLE';
const file = framedJson(MAGIC, 1, schema);

/** The ledger of a generation. Rejects when it is missing or damaged: then nothing may be merged. */
export async function readLedger(
  objects: ObjectStore,
  { ledger }: Pick<Manifest, 'ledger'>,
  pace: Pacer,
): Promise<Ledger> {
  if (ledger === null) return EMPTY_LEDGER;
  const object = await objects.get(ledger);
  if (object === null) throw new FormatError(`${MAGIC}: ${ledger} is missing`);
  if (pace.count(jsonWork(object.bytes.length))) await pace.giveWay();
  try {
    return file.decode(object.bytes);
  } catch (error) {
    throw new FormatError(`${ledger}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Returns the key to publish. What the ledger is too small for is on pages by then. Not published, the object is
 * garbage. Rejects with RangeError, and no ledger is written, when it has something that no reader takes.
 * @param generation that is to name it
 * @param randomId of this ledger, and its pages'
 */
export async function writeLedger(
  objects: ObjectStore,
  generation: number,
  randomId: string,
  ledger: Ledger,
  pace: Pacer,
): Promise<string> {
  const suffix = ledger.cases.some(({ due }) => !isEmpty(due)) ? DUE_SUFFIX : '';
  const key = generationKey(LEDGER_PREFIX, generation, randomId) + suffix;
  let pages = 0;
  const folded = await foldLedger(objects, ledger, () => `${randomId}-${++pages}`, pace);
  const bytes = file.encode(folded as Stored);
  // The largest that there can be, 2.3 MB, takes some 12 ms to write and 16 ms to read.
  if (pace.count(jsonWork(bytes.length))) await pace.giveWay();
  try {
    file.decode(bytes);
  } catch (error) {
    // Published, it would stop every later tick. A RangeError: it is what was merged that does not fit.
    throw new RangeError('the ledger could not be read back', { cause: error });
  }
  if (pace.count(jsonWork(bytes.length))) await pace.giveWay();
  await objects.put(key, bytes);
  return key;
}

/** Whether the ledger of a generation has released rows that are to be merged. */
export function hasPendingRelease({ ledger }: Pick<Manifest, 'ledger'>): boolean {
  return ledger?.endsWith(DUE_SUFFIX) === true;
}

export function newCase(id: SourceId, since: number): Case {
  const sets = { held: EMPTY_BATCH_SET, due: EMPTY_BATCH_SET, dropped: EMPTY_BATCH_SET };
  return { ...idOf(id), state: 'quarantined', since, reasons: [], by: null, ...sets, trust: null };
}

export function caseOf({ cases }: Ledger, id: SourceId): Case | undefined {
  const text = idText(id);
  return cases.find((one) => idText(one) === text);
}

export function casesById({ cases }: Ledger): ReadonlyMap<string, Case> {
  return new Map(cases.map((one) => [idText(one), one]));
}

/** With a case put in the place of that of its source. Those that say nothing any more go. */
export function withCases(ledger: Ledger, changed: readonly Case[], now: number): Ledger {
  const cases = new Map(casesById(ledger));
  for (const one of changed) cases.set(idText(one), one);
  return { ...ledger, cases: [...cases.values()].filter((one) => isNeeded(one, now)) };
}

function isNeeded({ state, trust, held, due, dropped }: Case, now: number): boolean {
  const isTrusted = trust !== null && now < trust.until;
  return state === 'quarantined' || isTrusted || [held, due, dropped].some((one) => !isEmpty(one));
}

function isEmpty({ batches, pages }: BatchSet): boolean {
  return batches.length === 0 && pages.length === 0;
}

export function isQuarantined(one: Case): boolean {
  return one.state === 'quarantined';
}

/** Sources and detections that are held back now. */
export function quarantineTotals({ cases }: Ledger): { readonly sources: number; readonly detections: number } {
  const quarantined = cases.filter(isQuarantined);
  return { sources: quarantined.length, detections: quarantined.reduce((sum, { held }) => sum + held.detections, 0) };
}

/** Whether it takes one of its tenant's places: something is held of it, or will be, or waits to be merged. */
export function takesPlace({ state, held, due, every }: Case): boolean {
  return every !== true && (state === 'quarantined' || !isEmpty(held) || !isEmpty(due));
}

/**
 * As the briefing tells them, longest held first. It is for every tenant, and names none: feeds of one name are
 * counted.
 */
export function quarantinedSources({ cases }: Ledger) {
  const quarantined = cases.filter(isQuarantined).toSorted((a, b) => a.since - b.since);
  const sameName = Map.groupBy(quarantined, ({ source: name }) => name);
  return quarantined.map((one) => {
    const { source: name, since, reasons: broken, held } = one;
    const same = sameName.get(name) ?? [];
    return {
      source: name,
      ...(same.length > 1 ? { feed: same.indexOf(one) + 1 } : {}),
      since: new Date(since).toISOString(),
      reasons: [...broken] as readonly string[],
      detections: held.detections,
    };
  });
}

// Keeping the ledger small, which each tick that merges reads and writes whole: what grows with uploads moves to pages.
// A tenant has a hundred sources in quarantine, each with batch sets of its own, so all batch sets together have a
// bound as well.

/**
 * Batches that a ledger holds of all its batch sets, some 600 KB of ids; those beyond are on pages, as few as they may
 * be.
 */
export const MAX_LEDGER_BATCHES = 10_000;

const SETS = ['held', 'due', 'dropped'] as const;

/** Rejects when a page cannot be written: then nothing leads to those that were. */
async function foldLedger(objects: ObjectStore, ledger: Ledger, randomId: () => string, pace: Pacer): Promise<Ledger> {
  const cases = await foldCases(objects, ledger.cases, randomId, pace);
  return { ...ledger, ...(await foldExcludedRows(objects, ledger, randomId, pace)), cases };
}

/**
 * Beyond the bound the largest batch sets move first, until half of it is left: so that a page is written for many
 * batches.
 */
async function foldCases(
  objects: ObjectStore,
  cases: readonly Case[],
  randomId: () => string,
  pace: Pacer,
): Promise<readonly Case[]> {
  const folded: Case[] = [];
  for (const one of cases) {
    const fold = (set: Case['held']) => foldPages(objects, set, randomId, pace);
    folded.push({ ...one, held: await fold(one.held), due: await fold(one.due), dropped: await fold(one.dropped) });
  }
  const sized = folded.flatMap((one, at) => SETS.map((name) => ({ at, name, size: one[name].batches.length })));
  let total = sized.reduce((sum, { size }) => sum + size, 0);
  if (total <= MAX_LEDGER_BATCHES) return folded;
  for (const { at, name, size } of sized.toSorted((a, b) => b.size - a.size)) {
    if (total <= MAX_LEDGER_BATCHES / 2) break;
    const one = folded[at];
    if (one === undefined) continue;
    folded[at] = { ...one, [name]: await foldAll(objects, one[name], randomId, pace) };
    total -= size;
  }
  return folded;
}
