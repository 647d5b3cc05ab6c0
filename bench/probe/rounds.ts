/** Rounds in which the contenders take turns, so that whatever else the machine does falls on all of them alike. */
import type { Pass } from './contender.ts';

export interface Times {
  /** Nanoseconds a probe, of each round. */
  readonly nanoseconds: readonly number[];
  /** Wrong answers of all rounds. */
  readonly wrong: number;
}

export interface Rounds {
  readonly rounds: number;
  readonly probes: number;
  readonly contenders: readonly string[];
  run(contender: string): Promise<Pass> | Pass;
}

/** The first round warms up and is left out. The order turns by one each round. */
export async function takeTurns({ rounds, probes, contenders, run }: Rounds): Promise<Map<string, Times>> {
  const times = new Map(contenders.map((name) => [name, { nanoseconds: [] as number[], wrong: 0 }]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const name = contenders[(round + turn) % contenders.length] as string;
      const { ms, wrong } = await run(name);
      const own = times.get(name);
      if (own === undefined) continue;
      own.wrong += wrong;
      if (round > 0) own.nanoseconds.push((ms * 1e6) / probes);
    }
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The median over the rounds of how long `one` took in a round, as a share of what `other` took in it. */
export function medianRatio(one: Times | undefined, other: Times | undefined): number {
  return median((one?.nanoseconds ?? []).map((nanoseconds, i) => nanoseconds / (other?.nanoseconds[i] ?? Number.NaN)));
}
