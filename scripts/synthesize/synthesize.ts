/** The synthetic inventory and fortnight as rows, one at a time, for whoever wants them without a file between. */
import type { Channel, Industry } from '../../src/format/vocabulary.ts';
import { CaptureWalk } from './captures.ts';
import { CIRCUMSTANCES } from './circumstances.ts';
import { FORTNIGHT_START_SECONDS, HISTORY_START_SECONDS } from './facts.ts';
import { planFortnight } from './fortnight.ts';
import { InventoryWalk } from './inventory.ts';
import { type Layout, planInventory } from './layout.ts';
import { mobileRanges } from './ranges.ts';
import type { SynthesisOptions } from './synthesis-options.ts';

export { type SynthesisOptions, synthesisOptions } from './synthesis-options.ts';
export { writeSynthetic } from './write.ts';

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
  const { facts } = walk;
  while (walk.next()) {
    yield {
      number: walk.number,
      firstSeenAt: HISTORY_START_SECONDS + facts.firstDay * DAY_SECONDS,
      observedAt: HISTORY_START_SECONDS + facts.lastDay * DAY_SECONDS,
      sightings: facts.sightings,
      ...circumstancesOf(facts.circumstances),
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
      ...circumstancesOf(walk.circumstances),
      link: walk.link,
    };
  }
}

export function layoutOf(options: SynthesisOptions): Layout {
  return planInventory(options, mobileRanges());
}

function circumstancesOf(index: number) {
  const circumstances = CIRCUMSTANCES[index];
  if (circumstances === undefined) throw new Error(`expected an index below ${CIRCUMSTANCES.length}; found ${index}`);
  return circumstances;
}
