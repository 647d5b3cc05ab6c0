import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { readInventory } from '../probe/inventory.ts';
import { atMost, type Bar, type Benchmark, type BenchSize, type Row, round } from '../report.ts';
import { TODAY } from '../simulate/assumptions.ts';
import {
  addUsage,
  listDollars,
  PRICED_UNITS,
  PRICES,
  type PricedUnit,
  timesUsage,
  type Usage,
} from '../simulate/prices.ts';
import { ensureInventory, openStores, type Stores } from '../support/inventory.ts';
import { type Lookups, MIXES, makeLookups } from './lookups.ts';
import { type Done, OtherDesigns, startPlatform } from './other-designs.ts';
import { lookUpWithFinder, publishingUsage } from './ringfence.ts';

const SAMPLE: Record<BenchSize, Sample> = {
  full: { lookups: 10_000, detections: 2_000 },
  small: { lookups: 2_000, detections: 200 },
};

/** As a share of what the same costs with a key a number. */
const WARM_SHARE = 0.1;
const NEW_SHARE = 0.2;
const PUBLISHING_SHARE = 0.75;
/** As a share of what the same costs with a row a number. The isolate of the ticks lives through them. */
const PUBLISHING_SHARE_OF_ROWS = 0.5;
/** Of a million lookups: a check of the snapshot every 20th at two lookups a second, and verdicts beyond the cache. */
const OPERATIONS = 100_000;

export const run: Benchmark = async (size) => {
  const { folder } = await ensureInventory(size);
  const stores = openStores(folder);
  const measured = await measureDesigns(stores, SAMPLE[size]);
  return { name: 'designs', rows: rowsOf(measured), bars: barsOf(measured) };
};

export function rowsOf({ lines }: Measured): Row[] {
  const used = PRICED_UNITS.filter((unit) => lines.some(({ usage }) => (usage[unit] ?? 0) > 0));
  return lines.map(({ what, design, usage, megabytesRead }) => ({
    what,
    design,
    ...Object.fromEntries(used.map((unit) => [columnOf(unit), Math.round(usage[unit] ?? 0)])),
    'MB read': round(megabytesRead),
    dollars: round(listDollars(usage)),
  }));
}

function columnOf(unit: PricedUnit): string {
  return PRICES[unit].what.replace(/ \(.*\)/, '');
}

export function barsOf({ lines, readsOfUnlisted, differences }: Measured): Bar[] {
  const lineOf = (what: string, design: string): Line => {
    const line = lines.find((each) => each.what === what && each.design === design);
    if (line === undefined) throw new RangeError(`there is no line "${what}" of "${design}"`);
    return line;
  };
  const dollars = (what: string, design: string) => listDollars(lineOf(what, design).usage);
  const share = (what: string, design: string, limit: number) => {
    const own = dollars(what, design);
    const other = dollars(what, KV_DESIGN);
    return atMost(`${what}: dollars of ${design} / a KV key a number`, round(own / other), limit);
  };
  const operations = (mix: string) => {
    const { usage } = lineOf(lookingUp(mix), RINGFENCE);
    const sum = PRICED_UNITS.reduce((total, unit) => total + (usage[unit] ?? 0), 0);
    return atMost(`${lookingUp(mix)}: storage operations, warm`, Math.round(sum), OPERATIONS);
  };
  return [
    ...MIXES.flatMap((mix) => [
      share(lookingUp(mix), RINGFENCE, WARM_SHARE),
      share(lookingUp(mix), RINGFENCE_NEW, NEW_SHARE),
      operations(mix),
    ]),
    share(PUBLISHING, RINGFENCE, PUBLISHING_SHARE),
    atMost(
      `${PUBLISHING}: dollars of Ringfence / rows in D1`,
      round(dollars(PUBLISHING, RINGFENCE) / dollars(PUBLISHING, D1_DESIGN)),
      PUBLISHING_SHARE_OF_ROWS,
    ),
    atMost('storage reads for unlisted numbers in a warm isolate', readsOfUnlisted, 0),
    atMost('designs that answer otherwise than Ringfence', differences, 0),
  ];
}

// Runs the samples of all designs and scales what they are billed as to what is compared.

interface Sample {
  readonly lookups: number;
  readonly detections: number;
}

/** What a design is billed as for one thing. */
interface Line {
  readonly what: string;
  readonly design: string;
  readonly usage: Usage;
  readonly megabytesRead: number;
}

export interface Measured {
  readonly lines: readonly Line[];
  /** Storage reads for unlisted numbers in a warm isolate, the snapshot's checks apart. */
  readonly readsOfUnlisted: number;
  /** Lookups on whose answer the designs differ. */
  readonly differences: number;
}

const MILLION = 1_000_000;
export const KV_DESIGN = 'KV, a key a number';
export const D1_DESIGN = 'D1, a row a number';
export const RINGFENCE = 'Ringfence';
const RINGFENCE_NEW = 'Ringfence, new isolates';
/**
 * An isolate of the control Worker lives as long as the crons that come every minute keep it; here it lives for one.
 */
const RINGFENCE_TICKS = 'Ringfence, a new isolate a tick';
export const PUBLISHING = `publish ${TODAY.detectionsAFortnight.toLocaleString('en-US')} detections`;
export const LOADING = `load ${TODAY.numbers.toLocaleString('en-US')} numbers`;
export const lookingUp = (mix: string): string => `1,000,000 lookups, ${mix}`;

export async function measureDesigns(stores: Stores, sample: Sample): Promise<Measured> {
  const { numbers } = await readInventory(stores);
  const platform = await startPlatform();
  try {
    const others = new OtherDesigns(platform, numbers);
    const lines: Line[] = [];
    let [readsOfUnlisted, differences] = [0, 0];
    for (const mix of MIXES) {
      const lookups = makeLookups(numbers, mix, sample.lookups);
      const looked = await lookUpInAll(stores, others, lookups);
      lines.push(...looked.lines.map((line) => ({ ...line, what: lookingUp(mix) })));
      readsOfUnlisted += looked.readsOfUnlisted;
      differences += looked.differences;
    }
    const writing = await writeInAll(stores, others, numbers, sample.detections);
    return { lines: [...lines, ...writing], readsOfUnlisted, differences };
  } finally {
    await platform.stop();
  }
}

async function lookUpInAll(stores: Stores, others: OtherDesigns, { opening, following }: Lookups) {
  await others.prepare(following);
  const kv = await others.perform('kv/look-up', following);
  const d1 = await others.perform('d1/look-up', following);
  const neighbours = await others.perform('d1/neighbours', following);
  const ringfence = await lookUpWithFinder(stores, { opening, following });
  const line = (design: string, { usage, bytes }: Omit<Done, 'listed'>) => ({
    design,
    usage: timesUsage(usage, MILLION / following.length),
    megabytesRead: ((bytes / following.length) * MILLION) / 1e6,
  });
  return {
    lines: [
      line(KV_DESIGN, kv),
      line(D1_DESIGN, d1),
      line(`${D1_DESIGN}, and its hundred-block`, { usage: addUsage(d1.usage, neighbours.usage), bytes: d1.bytes }),
      line(RINGFENCE, ringfence.warm),
      line(RINGFENCE_NEW, ringfence.cold),
    ],
    readsOfUnlisted: ringfence.warm.readsOfUnlisted,
    differences: countDifferent(ringfence.warm, [kv, d1]),
  };
}

interface Answers {
  readonly listed: readonly number[];
}

/** How many found other numbers listed than this one did. */
export function countDifferent(one: Answers, others: readonly Answers[]): number {
  return others.filter(({ listed }) => listed.join() !== one.listed.join()).length;
}

/** Detections alternate between listed numbers and others; both designs fold one into what they know of its number. */
async function writeInAll(stores: Stores, others: OtherDesigns, numbers: Float64Array, detections: number) {
  const step = Math.max(1, Math.floor(numbers.length / detections));
  const detected = Array.from({ length: detections }, (_, i) => (numbers[i * step] ?? 0) + (i % 2));
  const loaded = await others.prepare(detected);
  const line = (what: string, design: string, usage: Usage): Line => ({ what, design, usage, megabytesRead: 0 });
  const fortnight = (done: Done) => timesUsage(done.usage, TODAY.detectionsAFortnight / detections);
  // What was stored for the samples tells what storing one number is billed as.
  const all = ({ usage }: Done) => {
    const written = (usage.kvWrites ?? 0) + (usage.d1RowsWritten ?? 0);
    return timesUsage({ ...usage, d1RowsRead: 0 }, TODAY.numbers / written);
  };
  return [
    line(PUBLISHING, KV_DESIGN, fortnight(await others.perform('kv/publish', detected))),
    line(PUBLISHING, D1_DESIGN, fortnight(await others.perform('d1/publish', detected))),
    line(PUBLISHING, RINGFENCE, await publishingUsage(stores, numbers, 'one')),
    line(PUBLISHING, RINGFENCE_TICKS, await publishingUsage(stores, numbers, 'a tick')),
    line(LOADING, KV_DESIGN, all(loaded.kv)),
    line(LOADING, D1_DESIGN, all(loaded.d1)),
    line(LOADING, RINGFENCE, timesUsage(await storedUsage(stores), TODAY.numbers / numbers.length)),
  ];
}

/** What a bulk build writes: every segment once to R2, two slices of it to KV; batches and manifests are a few more. */
async function storedUsage({ objects }: Stores): Promise<Usage> {
  const segments = (await loadManifest(objects)).manifest.runs.flatMap((run) => run.segments).length;
  return { r2ClassA: segments + 3, kvWrites: 2 * segments };
}
