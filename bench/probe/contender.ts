/** What is compared: ways to hold the same set of numbers and to say whether a number is in it. */
export interface Contender {
  readonly name: string;
  /**
   * Writes 1 to `out` at the index of each probe that is listed, 0 at the others. The loop is the contender's own, so
   * that none pays for a call that another has inlined.
   */
  answer(probes: Float64Array, out: Uint8Array): void;
}

/** One contender's pass over one workload. */
export interface Pass {
  readonly ms: number;
  /** Answers that differ from what is known of the probes. */
  readonly wrong: number;
}

/** Runs a contender over the probes `repeats` times, and checks every answer of the last time. */
export function timedPass(
  contender: Contender,
  { probes, expected }: { readonly probes: Float64Array; readonly expected: Uint8Array },
  repeats: number,
  now: () => number,
): Pass {
  const out = new Uint8Array(probes.length).fill(2);
  const startedAt = now();
  for (let i = 0; i < repeats; i++) contender.answer(probes, out);
  const ms = (now() - startedAt) / repeats;
  let wrong = 0;
  for (let i = 0; i < out.length; i++) if (out[i] !== expected[i]) wrong += 1;
  return { ms, wrong };
}
