/**
 * Made-up detections to measure the encoders with: numbers in clusters as on the real list, everything else in
 * proportions that make the columns no smaller than real ones.
 */

import { type Random, Zipf } from '../../bench/support/random.ts';
import type { Detection } from '../../src/format/detection.ts';
import { CHANNELS, INDUSTRIES } from '../../src/format/vocabulary.ts';
import { ASSIGNED_NUMBERS } from './assumptions.ts';

/**
 * Of the clusters of the real list of 126,000 (numbers with less than 2,000 between them) nine in ten are a single
 * number, most others a few, and a few are whole blocks bought at once; between clusters the leaps are log-normal.
 */
const SINGLES = 0.9;
const BLOCKS = 0.02;
const BLOCK_MEAN = 36;
const GROUP_MEAN = 3;
const GROUP_GAP = 100;
const CLUSTER_MEAN = SINGLES + BLOCKS * (1 + BLOCK_MEAN) + (1 - SINGLES - BLOCKS) * (1 + GROUP_MEAN);
const LEAP_SIGMA = 1.8;

/** First and last observation: within these days since 1970, the span of three years. */
const FIRST_DAY = 19_400;
const DAYS = 1_100;
const PROJECTS = 300;
const API_RECEIVER_SHARE = 0.1432;
const OTP_MARKETPLACE_SHARE = 0.8555;

/** Ascending distinct numbers, as dense as a list of `inventory` numbers spread over all assigned ones. */
export function clusteredNumbers(random: Random, count: number, inventory: number): Float64Array {
  const meanLeap = (ASSIGNED_NUMBERS * CLUSTER_MEAN) / inventory;
  const medianLeap = meanLeap / Math.exp(LEAP_SIGMA ** 2 / 2);
  const numbers = new Float64Array(count);
  let last = 12_010_000_000;
  for (let i = 0; i < count; ) {
    last += 1 + Math.floor(medianLeap * Math.exp(LEAP_SIGMA * random.normal()));
    const kind = random.next();
    const isBlock = kind >= 1 - BLOCKS;
    const length = kind < SINGLES ? 1 : 1 + Math.ceil(random.exponential(isBlock ? BLOCK_MEAN : GROUP_MEAN));
    for (let j = 0; j < length && i < count; j++) {
      if (j > 0) last += isBlock ? 1 : 1 + random.below(GROUP_GAP);
      numbers[i++] = last;
    }
  }
  return numbers;
}

/** One detection of each number. */
export function detectionsOf(random: Random, numbers: Float64Array): Detection[] {
  const projects = new Zipf(PROJECTS, 1);
  return Array.from(numbers, (number) => {
    const firstDay = FIRST_DAY + random.below(DAYS);
    const listedDays = random.chance(0.5)
      ? 0
      : Math.min(FIRST_DAY + DAYS - firstDay, Math.floor(random.exponential(90)));
    const channel = random.next();
    const isPrivate = channel < API_RECEIVER_SHARE;
    return {
      number,
      firstSeenAt: firstDay * 86_400 + random.below(86_400),
      observedAt: (firstDay + listedDays + 1) * 86_400 + random.below(86_400),
      sightings: 1 + Math.floor(random.exponential(random.chance(0.02) ? 400 : 1)),
      label: 'modem_pool_card',
      channel: isPrivate
        ? 'api_receiver'
        : channel < API_RECEIVER_SHARE + OTP_MARKETPLACE_SHARE
          ? 'otp_marketplace'
          : (CHANNELS[random.below(CHANNELS.length)] ?? 'other'),
      industry: INDUSTRIES[random.below(INDUSTRIES.length)] ?? null,
      project: `project-${projects.draw(random)}`,
      // One number, one project, one link: a digest that no other number shares.
      link: isPrivate ? { host: 'receiver.example', sha256: hexDigest(random) } : null,
      source: 'feed',
    };
  });
}

/** 64 random hexadecimal digits. */
export function hexDigest(random: Random): string {
  return Array.from({ length: 8 }, () =>
    random
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
}
