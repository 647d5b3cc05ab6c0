/**
 * The ledger: what is known of every source, and which rows of which batches are not in the inventory. Immutable,
 * written before the manifest that names it, so that a decision and what it does to the inventory are one commit.
 * Frame "RFLE" version 1 around JSON.
 *
 * Of each batch merged by the generation, the inventory has every row but
 *   - those of a source with the batch in one of its piles (`held`, `due`, `dropped`),
 *   - those that `leftOut` names by batch, source and number.
 * From the batches and these two the inventory can be rebuilt, to the same bytes.
 */
import * as v from 'valibot';
import { FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import type { Manifest } from '../format/manifest.ts';
import { generationKey, LEDGER_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';
import { REASONS } from './bounds.ts';
import { dayFigures } from './figures.ts';
import { EMPTY_PILE, type Pile, pile } from './pile.ts';

/** Ends the key of a ledger with released rows still to be merged: a tick with nothing else to do need not read it. */
const DUE_SUFFIX = '-due';
/** Days of figures kept: four weeks, twice what a jump is measured against. */
export const LEDGER_DAYS = 28;
/** Sources with figures; of more, those with the most lines. With all days of all some 900 KB. */
export const MAX_SOURCES = 300;
/**
 * Sources that something is decided of: each takes 200 bad lines of someone with a key to upload. Beyond it nothing is
 * merged until sources are released, since a row that cannot be noted must be neither served nor lost.
 */
export const MAX_CASES = 5_000;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const source = v.nullable(v.string());
const reasons = v.array(v.picklist(REASONS));

const sourceCase = v.object({
  /** null: uploads that named none. */
  source,
  state: v.picklist(['quarantined', 'released']),
  /** Milliseconds since 1970, of the state. */
  since: count,
  /** Why it was quarantined last. */
  reasons,
  /** Of whoever released or dropped last: the id of their key. */
  by: v.nullable(v.string()),
  /** Kept out until somebody decides. */
  held: pile,
  /** Released, to be merged by the next ticks. */
  due: pile,
  /** Never to be merged. */
  dropped: pile,
  /** After a release: until when, in milliseconds since 1970, the source is not judged for these reasons again. */
  trust: v.nullable(v.object({ until: count, reasons })),
});

const schema = v.object({
  /** By day, oldest first. */
  sources: v.array(v.object({ source, days: v.array(dayFigures) })),
  cases: v.array(sourceCase),
  /** Detections of canaries by sources that are not held back. */
  leftOut: v.array(v.object({ batch: v.string(), source, numbers: v.array(count) })),
  /** What was seen of the canaries, by number. */
  hits: v.array(v.object({ number: count, detections: count, lastAt: count, sources: v.array(source) })),
});

type Stored = v.InferOutput<typeof schema>;
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Ledger = DeepReadonly<Stored>;
export type Case = Ledger['cases'][number];
export type SourceName = string | null;

export const EMPTY_LEDGER: Ledger = { sources: [], cases: [], leftOut: [], hits: [] };

const MAGIC = 'RFLE';
const file = framedJson(MAGIC, 1, schema);

/** The ledger of a generation. Rejects when it is missing or damaged: then nothing may be merged. */
export async function readLedger(objects: ObjectStore, { ledger }: Pick<Manifest, 'ledger'>): Promise<Ledger> {
  if (ledger === null) return EMPTY_LEDGER;
  const object = await objects.get(ledger);
  if (object === null) throw new FormatError(`${MAGIC}: ${ledger} is missing`);
  return file.decode(object.bytes);
}

/**
 * Returns the key to publish. Not published, the object is garbage.
 * @param generation that is to name it
 */
export async function writeLedger(
  objects: ObjectStore,
  generation: number,
  randomId: string,
  ledger: Ledger,
): Promise<string> {
  if (ledger.cases.length > MAX_CASES) {
    throw new RangeError(`expected at most ${MAX_CASES} quarantined sources; release some: GET /v1/sources`);
  }
  const suffix = ledger.cases.some(({ due }) => !isEmpty(due)) ? DUE_SUFFIX : '';
  const key = generationKey(LEDGER_PREFIX, generation, randomId) + suffix;
  await objects.put(key, file.encode(ledger as Stored));
  return key;
}

/** Whether the ledger of a generation has released rows that are to be merged. */
export function hasDue({ ledger }: Pick<Manifest, 'ledger'>): boolean {
  return ledger?.endsWith(DUE_SUFFIX) === true;
}

export function newCase(name: SourceName, since: number): Case {
  const piles = { held: EMPTY_PILE, due: EMPTY_PILE, dropped: EMPTY_PILE };
  return { source: name, state: 'quarantined', since, reasons: [], by: null, ...piles, trust: null };
}

export function caseOf({ cases }: Ledger, name: SourceName): Case | undefined {
  return cases.find((one) => one.source === name);
}

/** With a case put in the place of that of its source. Those that say nothing any more go. */
export function withCases(ledger: Ledger, changed: readonly Case[], now: number): Ledger {
  const cases = new Map(ledger.cases.map((one) => [one.source, one]));
  for (const one of changed) cases.set(one.source, one);
  return { ...ledger, cases: [...cases.values()].filter((one) => isNeeded(one, now)) };
}

function isNeeded({ state, trust, held, due, dropped }: Case, now: number): boolean {
  const isTrusted = trust !== null && now < trust.until;
  return state === 'quarantined' || isTrusted || [held, due, dropped].some((one) => !isEmpty(one));
}

export function isEmpty({ batches, pages }: Pile): boolean {
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

/** As the briefing tells them, longest held first. */
export function quarantinedSources({ cases }: Ledger) {
  return cases
    .filter(isQuarantined)
    .toSorted((a, b) => a.since - b.since)
    .map(({ source: name, since, reasons: broken, held }) => ({
      source: name,
      since: new Date(since).toISOString(),
      reasons: [...broken] as readonly string[],
      detections: held.detections,
    }));
}
