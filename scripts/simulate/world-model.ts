/** What several sections need: measured sizes and the year of tiers, for each scale, computed once. */

import type { Random } from '../../bench/support/random.ts';
import { BILLION, detectionsAMinute, ONE_STORE, SCALES, type Scale } from './assumptions.ts';
import { measureManifest, measureSegment, NumbersBits, type Sizes, sampleBatch } from './measured-sizes.ts';
import { simulateYear, type TierYear } from './tiers-year.ts';

/** Run sizes at which the bits of a numbers column are measured: from a minute's detections up. */
const MEASURED_RUNS = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000] as const;

/** Hours. */
const MIDDLE_OF_THE_FORTNIGHT = 7 * 24;

export interface ScaleModel {
  readonly scale: Scale;
  readonly sizes: Sizes;
  readonly year: TierYear;
}

export async function modelScales(random: Random): Promise<ScaleModel[]> {
  const bits = new NumbersBits(random.stream('bits'), MEASURED_RUNS);
  const models: ScaleModel[] = [];
  for (const scale of SCALES) {
    // A range of a list is as dense as the list.
    const density = scale === ONE_STORE ? BILLION.numbers : scale.numbers;
    const segment = await measureSegment(random.stream(`segment ${density}`), density);
    const manifest = measureManifest(random.stream('manifest'), segment.entry);
    const year = simulateYear(random.stream(`year ${scale.name}`), { scale, segmentRecords: segment.records });
    const rows = Math.max(1, Math.round(detectionsAMinute(scale) / scale.uploadsAMinute));
    const batchBytes = sampleBatch(random.stream(`batch ${rows}`), rows, density).length;
    models.push({ scale, sizes: { segment, manifest, bits, batchBytes }, year });
  }
  return models;
}

/** Runs in segments, newest first, as they are in the middle of the first fortnight. */
export function typicalRuns({ year, sizes }: ScaleModel): readonly number[] {
  const sample = year.samples.hourly[MIDDLE_OF_THE_FORTNIGHT];
  if (sample === undefined) throw new RangeError('the simulated time is shorter than a fortnight');
  return sample.runs.map((numbers) => Math.ceil(numbers / sizes.segment.records));
}
