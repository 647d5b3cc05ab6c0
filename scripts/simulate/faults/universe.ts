/** The numbers of a simulation: few, so that they meet, and all of ranges that regulators keep for fiction. */
import type { Random } from '../../../bench/support/random.ts';

export interface UniverseNumber {
  readonly number: number;
  readonly country: string;
  /** As dialled in its country. */
  readonly national: string;
  /** Whether its plan knows it for a fixed line. */
  readonly isFixed: boolean;
}

/** 555-0100 to 555-0199 of any area code: one ten-thousand-block each, one block of a hundred. */
const AREA_CODES = [202, 212, 213, 303, 305, 312, 404, 415, 512, 617];
const PER_AREA = 4;

export const UNIVERSE: readonly UniverseNumber[] = [
  ...AREA_CODES.flatMap((area) =>
    Array.from({ length: PER_AREA }, (_, i) => american(area, 5_550_100 + i * 7 + (area % 5))),
  ),
  // ACMA's: one ten-thousand-block over several thousands; those of the sandbox are others.
  ...[491_571_491, 491_571_804, 491_572_549, 491_573_770, 491_573_087, 491_575_254].map((rest) => ({
    number: 61_000_000_000 + rest,
    country: 'AU',
    national: `0${String(rest).slice(0, 3)} ${String(rest).slice(3, 6)} ${String(rest).slice(6)}`,
    isFixed: false,
  })),
  // Ofcom's for drama: fixed lines of London.
  ...[12, 13, 112, 345, 346, 901].map((rest) => ({
    number: 442_079_460_000 + rest,
    country: 'GB',
    national: `(020) 7946 0${String(rest).padStart(3, '0')}`,
    isFixed: true,
  })),
];

/** The most that one ten-thousand-block has: every segment has room for more. */
export const MOST_IN_BLOCK = 6;

/** Numbers that are none, with whether the reason is that their range is not assigned. */
export const BAD_NUMBERS = ['+1202555', '+999123', 'n/a', '+1000555012', '+447000'];
export const UNASSIGNED_NUMBERS = ['+10005550123', '+15555550123', '+447700900123'];

function american(area: number, rest: number): UniverseNumber {
  const text = String(rest);
  return {
    number: 10_000_000_000 + area * 10_000_000 + rest,
    country: 'US',
    national: `(${area}) ${text.slice(0, 3)}-${text.slice(3)}`,
    isFixed: false,
  };
}

export function pickNumber(random: Random): UniverseNumber {
  // Some numbers much more than others.
  const at = Math.floor(UNIVERSE.length * random.next() ** 1.5);
  return UNIVERSE[at] as UniverseNumber;
}

/** One of the ways people write it. */
export function spelled({ number, country, national }: UniverseNumber, random: Random) {
  const digits = String(number);
  const way = random.below(6);
  if (way === 0) return { number: national, country };
  if (way === 1) return { number: `tel:+${digits}` };
  if (way === 2) return { number: digits };
  if (way === 3) return { number: `+${digits.slice(0, 3)} ${digits.slice(3, 7)}-${digits.slice(7)}` };
  return { number: `+${digits}` };
}

/** Texts that must never be in a log: every number of the universe, with its country code or without. */
export function numberIn(text: string): string | null {
  for (const { number, national } of UNIVERSE) {
    const digits = String(number);
    if (text.includes(digits) || text.includes(national) || text.includes(digits.slice(-9))) return digits;
  }
  return null;
}
