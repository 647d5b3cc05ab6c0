/** What is to be synthesized. The published figures, or the same proportions at another size. */
import { SynthesisError } from './synthesis-error.ts';

/** The published inventory of active numbers, and of the fortnight 2025-05-16..30 the numbers captured and first seen. */
export const PUBLISHED = { numbers: 20_870_000, captured: 996_141, firstTime: 487_368 } as const;
/** Of the first-time numbers of the fortnight, by the channel of their first detection (published). */
export const FIRST_TIME_SHARES = { otp_marketplace: 0.8555, api_receiver: 0.1432 } as const;

export const DEFAULT_SEED = 1;
/** More than the plans' room for blocks like the real ones. */
const MAX_NUMBERS = 100_000_000;
/** 16 bytes of each captured number are held in memory. */
const MAX_CAPTURED = 10_000_000;
const MAX_SEED = 2 ** 32 - 1;

export interface SynthesisOptions {
  readonly seed: number;
  /** In the inventory. */
  readonly numbers: number;
  /** In the fortnight: first-time numbers and re-captures of the inventory's. */
  readonly captured: number;
  readonly firstTime: number;
}

/**
 * Fills in the defaults: `captured` in proportion to `numbers`, `firstTime` to `captured`.
 * @throws SynthesisError naming the option that cannot be
 */
export function synthesisOptions(given: Partial<SynthesisOptions> = {}): SynthesisOptions {
  const seed = checked('seed', given.seed ?? DEFAULT_SEED, 0, MAX_SEED);
  const numbers = checked('numbers', given.numbers ?? PUBLISHED.numbers, 1, MAX_NUMBERS);
  const captured = checked(
    'captured',
    given.captured ?? Math.round((numbers * PUBLISHED.captured) / PUBLISHED.numbers),
    0,
    MAX_CAPTURED,
  );
  const scaled = Math.round((captured * PUBLISHED.firstTime) / PUBLISHED.captured);
  // Numbers that are captured again must be in the inventory.
  const firstTime = checked('first-time', given.firstTime ?? scaled, Math.max(0, captured - numbers), captured);
  return { seed, numbers, captured, firstTime };
}

function checked(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new SynthesisError(`expected --${option} as an integer from ${least} to ${most}; found ${value}`);
}
