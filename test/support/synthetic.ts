/** The synthetic inventory and fortnight as rows, one at a time, for tests that want them without a file between. */
import { CaptureWalk, planFortnight } from '../../bench/synthesize/fortnight.ts';
import {
  ATTRIBUTES,
  FORTNIGHT_START_SECONDS,
  HISTORY_START_SECONDS,
  InventoryWalk,
} from '../../bench/synthesize/inventory.ts';
import { type Layout, planInventory, type SynthesisOptions } from '../../bench/synthesize/layout.ts';
import { mobileRanges } from '../../bench/synthesize/number-ranges.ts';
import type { Channel, Industry } from '../../src/format/attributes.ts';

const DAY_SECONDS = 86_400;

/** Named as a `Detection`; the link is not hashed yet. */
export interface SyntheticRow {
  readonly number: number;
  /** Seconds since 1970; midnight for the inventory's aggregates. */
  readonly firstSeenAt: number;
  readonly observedAt: number;
  readonly sightings: number;
  readonly label: string;
  readonly channel: Channel;
  readonly industry: Industry;
  readonly project: string | null;
  readonly link: string | null;
  readonly source: string;
}

/** `options.numbers` rows, one a number, none of them twice. */
export function* inventoryRows(options: SynthesisOptions): Generator<SyntheticRow> {
  const walk = new InventoryWalk(layoutOf(options));
  const { record } = walk;
  while (walk.next()) {
    yield {
      number: walk.number,
      firstSeenAt: HISTORY_START_SECONDS + record.firstDay * DAY_SECONDS,
      observedAt: HISTORY_START_SECONDS + record.lastDay * DAY_SECONDS,
      sightings: record.sightings,
      ...attributesOf(record.attributes),
      link: null,
    };
  }
}

/** `options.captured` rows in order of time, one a number; `options.firstTime` of them not in the inventory. */
export function* fortnightRows(options: SynthesisOptions): Generator<SyntheticRow> {
  const walk = new CaptureWalk(planFortnight(layoutOf(options), options), options.seed);
  while (walk.next()) {
    const observedAt = FORTNIGHT_START_SECONDS + walk.seconds;
    yield {
      number: walk.number,
      firstSeenAt: observedAt,
      observedAt,
      sightings: 1,
      ...attributesOf(walk.attributes),
      link: walk.link,
    };
  }
}

function layoutOf(options: SynthesisOptions): Layout {
  return planInventory(options, mobileRanges());
}

function attributesOf(index: number) {
  const attributes = ATTRIBUTES[index];
  if (attributes === undefined) throw new Error(`expected an index below ${ATTRIBUTES.length}; found ${index}`);
  return attributes;
}
