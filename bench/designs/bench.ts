/**
 * `npm run bench -- designs`: the same lookups, the same fortnight and the same inventory on three designs, in operations
 * and dollars at list price (scripts/simulate/prices.ts). Requests and CPU of the Worker are the same for all and left
 * out. Operations are counted in samples that really run: KV and D1 on their local simulation, Ringfence's Finder and
 * ticks on counted stores.
 *
 * What dollars do not tell:
 * - KV remembers misses as it does values. Who asks of a number just before it is listed goes on being told that it is
 *   not, in that place, for as long as the read's cacheTtl (60 s unless told otherwise, 30 s at least:
 *   developers.cloudflare.com/kv/concepts/how-kv-works); a longer one makes reads faster and answers older. Nearly all
 *   lookups are such misses, and are cold besides: a number is asked for once. Ringfence asks KV only for keys that have
 *   been written, by their content, so that keeping them for a day makes nothing old.
 * - A key a number tells nothing of its neighbours: a hundred-block would be a hundred reads.
 * - A D1 database is in one place, every query goes there, and it answers one at a time: about 1,000 a second of 1 ms
 *   each (developers.cloudflare.com/d1/platform/limits). It is cheap, and neither near nor there when that place is not.
 */
import { listDollars, PRICED_UNITS, PRICES, type PricedUnit } from '../../scripts/simulate/prices.ts';
import { atMost, type Bar, type Benchmark, type BenchSize, type Row, round } from '../report.ts';
import { ensureInventory, openStores } from '../support/inventory.ts';
import { MIXES } from './lookups.ts';
import {
  KV_DESIGN,
  type Line,
  lookingUp,
  type Measured,
  measureDesigns,
  PUBLISHING,
  RINGFENCE,
  RINGFENCE_NEW,
  type Sample,
} from './measure.ts';

const SAMPLE: Record<BenchSize, Sample> = {
  full: { lookups: 10_000, detections: 2_000 },
  small: { lookups: 2_000, detections: 200 },
};

/** As a share of what the same costs with a key a number. */
const WARM_SHARE = 0.1;
const NEW_SHARE = 0.2;
const PUBLISHING_SHARE = 0.75;
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
  const share = (what: string, design: string, limit: number) => {
    const own = listDollars(lineOf(what, design).usage);
    const other = listDollars(lineOf(what, KV_DESIGN).usage);
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
    atMost('storage reads for unlisted numbers in a warm isolate', readsOfUnlisted, 0),
    atMost('designs that answer otherwise than Ringfence', differences, 0),
  ];
}
