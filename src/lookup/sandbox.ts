/**
 * Sandbox numbers: five reserved numbers that always answer the same, on every deployment. They are recognised before
 * the inventory is asked, in lookups as of earlier days and generations too.
 */
import { dayOfMs, SECONDS_PER_DAY } from '../lib/time.ts';
import type { Basis, Finding } from '../policy/answer.ts';
import { StorageUnavailable } from '../storage/store.ts';
import type { AsOf, FindPast, PastFinding } from './as-of.ts';
import type { FindOptions, LookupFinder } from './finder.ts';
import { LookupError } from './request.ts';

export const SANDBOX = {
  listed: 61_491_570_156,
  suspect: 61_491_570_157,
  clear: 61_491_570_158,
  unknown: 61_491_570_159,
  quotaExceeded: 61_491_570_110,
} as const;

const FIRST = SANDBOX.quotaExceeded;
const LAST = SANDBOX.unknown;
const RETRY_AFTER_SECONDS = 60;

/** Generations count from 1, so 0 says that these answers belong to none. */
const CLEAR: Finding = { generation: 0, ageSeconds: 0, record: null, hundred: 0, thousand: 0, score: 0, evidence: [] };
const SUSPECT: Finding = { ...CLEAR, hundred: 12, thousand: 40, score: 0.97 };
/** The listed number has three sightings; the first and the last were so many days ago. */
const FIRST_DAYS_AGO = 14;
const LAST_DAYS_AGO = 1;
/** Stands in receipts for the commit of a generation. Such receipts name no segment. */
export const SANDBOX_COMMIT = 'sandbox';

/**
 * The finding of the listed number. Its evidence is one line, so as of an earlier day only its first detection is known
 * (src/lookup/as-of.ts).
 */
function listed(today: number, lastDay: number, sightings: number): Finding {
  const firstDay = today - FIRST_DAYS_AGO;
  return {
    ...SUSPECT,
    record: {
      labels: ['modem_pool_card'],
      channels: ['otp_marketplace'],
      industries: ['social_media'],
      firstDay,
      lastDay,
      sightings,
    },
    evidence: [
      {
        label: 'modem_pool_card',
        channel: 'otp_marketplace',
        industry: 'social_media',
        project: 'sandbox',
        link: null,
        source: 'sandbox',
        firstSeenAt: firstDay * SECONDS_PER_DAY,
        lastSeenAt: lastDay * SECONDS_PER_DAY,
        sightings,
      },
    ],
  };
}

/**
 * Refuses the number that stands for an exhausted quota, in a single lookup. In a batch that number is `unknown`:
 * anyone can type it into a form, and it must not fail the lookups of others.
 * @throws LookupError `quota-exceeded`
 */
export function refuseSandboxQuota(number: number): void {
  if (number !== SANDBOX.quotaExceeded) return;
  throw new LookupError('quota-exceeded', 'this number of the sandbox always answers so', {}, RETRY_AFTER_SECONDS);
}

/**
 * Answers sandbox numbers, and asks `past` for all others. They answer as today, the listed one from its first day on.
 */
export function withSandboxPast(past: FindPast, now: () => number): FindPast {
  return async (number, asOf, options) =>
    isSandbox(number) ? sandboxPast(number, asOf, now()) : past(number, asOf, options);
}

/** Rejects for the number that stands for storage that does not answer. Any generation counts as retained. */
function sandboxPast(number: number, asOf: AsOf, now: number): PastFinding {
  const today = dayOfMs(now);
  const day = 'day' in asOf ? asOf.day : today;
  const finding = sandboxFinding(number, now, day);
  if (finding === null) throw new StorageUnavailable('this number of the sandbox always answers so');
  const at = 'day' in asOf ? (day + 1) * SECONDS_PER_DAY * 1000 - 1 : now;
  return { kind: 'found', finding, at, complete: true };
}

/** Answers sandbox numbers, and asks the finder for all others. */
export function withSandbox(finder: LookupFinder, now: () => number): LookupFinder {
  return {
    probe: (number, at) => (isSandbox(number) ? null : finder.probe(number, at)),
    find(numbers, options, begun) {
      return numbers.some(isSandbox)
        ? findWithSandbox(finder, now, numbers, options)
        : finder.find(numbers, options, begun);
    },
  };
}

async function findWithSandbox(
  finder: LookupFinder,
  now: () => number,
  numbers: readonly number[],
  options: FindOptions,
): Promise<readonly (Finding | null)[]> {
  const others = numbers.filter((number) => !isSandbox(number));
  const found = others.length === 0 ? [] : await finder.find(others, options);
  let next = 0;
  return numbers.map((number) => {
    if (!isSandbox(number)) return found[next++] ?? null;
    const finding = sandboxFinding(number, now());
    return finding !== null && options.basis === true ? { ...finding, basis: BASIS } : finding;
  });
}

const BASIS: Basis = { commit: SANDBOX_COMMIT, segments: [] };

function isSandbox(number: number): boolean {
  return number >= FIRST && number <= LAST && (number === FIRST || number >= SANDBOX.listed);
}

/**
 * @param now milliseconds since 1970
 * @param day UTC day since 1970: the finding is what was known by its end
 */
export function sandboxFinding(number: number, now: number, day = dayOfMs(now)): Finding | null {
  const today = dayOfMs(now);
  if (number === SANDBOX.listed) {
    if (day >= today - LAST_DAYS_AGO) return listed(today, today - LAST_DAYS_AGO, 3);
    return day >= today - FIRST_DAYS_AGO ? listed(today, today - FIRST_DAYS_AGO, 1) : CLEAR;
  }
  if (number === SANDBOX.suspect) return SUSPECT;
  return number === SANDBOX.clear ? CLEAR : null;
}
