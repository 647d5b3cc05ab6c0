/**
 * The faults of a seed: how long each storage call takes and what goes wrong with it. That depends on the seed, on the
 * action that makes the call and on how many calls the action has made before, and on nothing else. So when a schedule
 * is shrunk, the rest of it meets the same faults as before.
 */
import { Random } from '../../support/random.ts';

export type Fault =
  /** Without effect. */
  | 'fails'
  /** Took effect, but says that it failed. */
  | 'persisted'
  /** Says that it failed, and takes effect minutes later. */
  | 'late'
  /** Takes effect a second time, minutes later. */
  | 'twice'
  /** Takes seconds or minutes. */
  | 'slow'
  /** The isolate is gone while it waits for the answer. */
  | 'evict';

/** By how often they are drawn. */
const FAULTS: readonly (readonly [Fault, number])[] = [
  ['fails', 4],
  ['persisted', 4],
  ['late', 3],
  ['twice', 3],
  ['slow', 3],
  ['evict', 3],
];
/** What befalls an object that can be had again, for good: it is not there any more, or its bytes are others. */
export type Harm = 'lost' | 'damaged';
/** Lists of what a compaction has written. */
const HARMED = 'compactions/';

const WRITES_ONLY: ReadonlySet<Fault> = new Set(['persisted', 'late', 'twice']);

/** Longer than this counts as storage failing: the product waits for a second or so. */
export const SLOW_MS = 800;
/** When a put or delete lands that was given up. */
const LATE_MS = { least: 5_000, most: 300_000 };

export interface Climate {
  /** Which faults this seed has at all: seeds with few kinds find what many kinds hide. */
  readonly faults: readonly Fault[];
  /** Of a call in a storm. */
  readonly faultRate: number;
  /**
   * What fails, by how its keys begin; null: anything. Where everything fails nothing gets far: faults that take two in
   * a row of one kind of call are found by seeds where only those fail.
   */
  readonly targets: readonly string[] | null;
  /** Of a call in calm weather, one way. */
  readonly latencyMs: number;
  /** How long another place may see the KV of before, and a miss be remembered. */
  readonly kvStaleMs: number;
  /** Of values read from KV. */
  readonly kvDamage: number;
  /** Objects in a page of a list, at most. */
  readonly pageLimit: number;
  /** Whether a key takes one write a second. */
  readonly isKeyRateLimited: boolean;
  /** How long caches between a replica and its origin keep a manifest. */
  readonly originCacheMs: number;
  /** Of reads of what can be had again: those that find it lost or damaged. */
  readonly harmRate: number;
}

/** @param given what is not drawn */
export function climateOf(seed: number, given: Partial<Climate> = {}): Climate {
  const random = new Random(seed).stream('climate');
  const isCalm = random.chance(0.12);
  const pick = <T>(values: readonly T[]) => random.pick(values);
  const targets = random.chance(0.5) ? null : [pick(TARGETS), pick(TARGETS)];
  return {
    faults: isCalm ? [] : FAULTS.map(([fault]) => fault).filter(() => random.chance(0.5)),
    faultRate: targets === null ? pick([0.01, 0.04, 0.1, 0.25]) : pick([0.1, 0.3, 0.6]),
    targets,
    latencyMs: pick([5, 20, 60]),
    kvStaleMs: pick([0, 20_000, 60_000]),
    kvDamage: pick([0, 0, 0.02]),
    pageLimit: pick([1, 2, 3, 7, 1000, 1000]),
    isKeyRateLimited: random.chance(0.3),
    originCacheMs: pick([0, 0, 25_000]),
    harmRate: pick([0, 0.1, 0.5]),
    ...given,
  };
}

/** The slice store, and the kinds of keys of the object store. */
const TARGETS = ['kv', 'batches/', 'manifest', 'segments/', 'ledgers/', 'facts/', 'history/', 'config/', 'briefings/'];

interface Call {
  readonly action: number;
  /** Calls that the action has made before. */
  readonly index: number;
  readonly isWrite: boolean;
  /** `kv`, or the key. */
  readonly target: string;
  /** 0: calm, 1: a storm. */
  readonly storm: number;
}

export interface Fate {
  readonly fault: Fault | null;
  /** From the call to its effect, and from there to its answer. */
  readonly effectMs: number;
  readonly answerMs: number;
  /** To the effect that comes too late, or again. */
  readonly lateMs: number;
  /** Whether a write whose isolate is gone before its effect takes effect all the same. */
  readonly outlivesIsolate: boolean;
  /** Of a list. */
  readonly pageLimit: number;
  /** Whether KV answers with damaged bytes. */
  readonly isDamaged: boolean;
  /** Of an object that is read. */
  readonly harm: Harm | null;
}

export class Weather {
  readonly climate: Climate;
  readonly #random: Random;
  readonly #weights: readonly (readonly [Fault, number])[];
  readonly #suppressed: ReadonlySet<string>;
  calls = 0;
  /** Names of the faults that happened, with what they happened to. */
  readonly happened = new Map<string, string>();

  /** @param suppressed names of faults that do not happen */
  constructor(seed: number, climate: Climate, suppressed: ReadonlySet<string> = new Set()) {
    this.climate = climate;
    this.#random = new Random(seed).stream('weather');
    this.#weights = FAULTS.filter(([fault]) => climate.faults.includes(fault));
    this.#suppressed = suppressed;
  }

  /** @param what the call, as the schedule tells it */
  fateOf(call: Call, what: string): Fate {
    const { climate } = this;
    this.calls += 1;
    const name = `${call.action}.${call.index}`;
    const random = this.#random.stream(name);
    const latency = () => Math.floor(random.exponential(climate.latencyMs));
    const isTarget = climate.targets?.some((target) => call.target.startsWith(target)) ?? true;
    const isHit = random.chance(climate.faultRate * call.storm) && isTarget;
    const drawn = isHit ? this.#draw(random, call.isWrite) : null;
    const fault = drawn === null || this.#suppressed.has(name) ? null : drawn;
    if (fault !== null) this.happened.set(name, `${fault}: ${what}`);
    const slowMs = fault === 'slow' ? Math.floor(SLOW_MS * 2 ** (random.next() * 8)) : 0;
    const isSlowBefore = random.chance(0.5);
    const fate = {
      fault,
      effectMs: latency() + (isSlowBefore ? slowMs : 0),
      answerMs: latency() + (isSlowBefore ? 0 : slowMs),
      lateMs: LATE_MS.least + random.below(LATE_MS.most - LATE_MS.least),
      outlivesIsolate: random.chance(0.5),
      pageLimit: 1 + random.below(climate.pageLimit),
      isDamaged: random.chance(climate.kvDamage * call.storm),
    };
    const isHarmed = random.chance(climate.harmRate * call.storm) && call.target.startsWith(HARMED) && !call.isWrite;
    if (!isHarmed || fault !== null || this.#suppressed.has(name)) return { ...fate, harm: null };
    const harm = random.pick<Harm>(['lost', 'damaged']);
    this.happened.set(name, `${harm}: ${what}`);
    return { ...fate, harm };
  }

  #draw(random: Random, isWrite: boolean): Fault | null {
    const possible = this.#weights.filter(([fault]) => isWrite || !WRITES_ONLY.has(fault));
    return random.weighted(possible) ?? null;
  }
}
