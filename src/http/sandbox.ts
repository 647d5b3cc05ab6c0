/**
 * Numbers that always answer the same, so that integrators can try every branch of theirs without data. They are of
 * those that the Australian regulator (ACMA) keeps for fiction and never assigns. The policy of the tenant and its
 * overrides apply to what is found of them as to any number; the store is not asked.
 */
import { dayOf } from '../format/records.ts';
import type { Finding } from '../policy/finding.ts';
import type { FindOptions } from '../serve/finder.ts';
import { Problem } from './problem.ts';
import type { Finder } from './services.ts';

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

/** Generations count from 1: these answers are of none. */
const CLEAR: Finding = { generation: 0, ageSeconds: 0, record: null, hundred: 0, thousand: 0, score: 0 };
const SUSPECT: Finding = { ...CLEAR, hundred: 12, thousand: 40, score: 0.97 };
const DAY_SECONDS = 86_400;

function listed(now: number): Finding {
  const today = dayOf(now / 1000);
  return {
    ...SUSPECT,
    record: {
      labels: ['modem_pool_card'],
      channels: ['otp_marketplace'],
      industries: ['social_media'],
      firstDay: today - 14,
      lastDay: today - 1,
      sightings: 3,
    },
    evidence: [
      {
        label: 'modem_pool_card',
        channel: 'otp_marketplace',
        industry: 'social_media',
        project: 'sandbox',
        link: null,
        source: 'sandbox',
        firstSeenAt: (today - 14) * DAY_SECONDS,
        lastSeenAt: (today - 1) * DAY_SECONDS,
        sightings: 3,
      },
    ],
  };
}

/**
 * Of a single lookup. In a batch that number is `unknown`: anyone can type it into a form, and it must not take others
 * with it.
 * @throws Problem `quota-exceeded` for the number that stands for it
 */
export function refuseSandboxQuota(number: number): void {
  if (number !== SANDBOX.quotaExceeded) return;
  throw new Problem('quota-exceeded', 'this number of the sandbox always answers so', {
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

/** The finder, but for these numbers. */
export function withSandbox(finder: Finder, now: () => number): Finder {
  return {
    peek: (number) => (isSandbox(number) ? null : finder.peek(number)),
    find(numbers, options) {
      return numbers.some(isSandbox) ? findWithSandbox(finder, now, numbers, options) : finder.find(numbers, options);
    },
  };
}

async function findWithSandbox(
  finder: Finder,
  now: () => number,
  numbers: readonly number[],
  options: FindOptions,
): Promise<readonly (Finding | null)[]> {
  const others = numbers.filter((number) => !isSandbox(number));
  const found = others.length === 0 ? [] : await finder.find(others, options);
  let next = 0;
  return numbers.map((number) => (isSandbox(number) ? sandboxFinding(number, now()) : (found[next++] ?? null)));
}

function isSandbox(number: number): boolean {
  return number >= FIRST && number <= LAST && (number === FIRST || number >= SANDBOX.listed);
}

function sandboxFinding(number: number, now: number): Finding | null {
  if (number === SANDBOX.listed) return listed(now);
  if (number === SANDBOX.suspect) return SUSPECT;
  return number === SANDBOX.clear ? CLEAR : null;
}
