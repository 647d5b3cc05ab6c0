/**
 * Makes a failing schedule small: leaves out steps, then faults, in ever smaller portions, as long as the same promise is
 * still broken. Bounded by runs and not by time, so that the same seed shrinks to the same schedule.
 */
import { NOTHING_OMITTED, type Omitted, type Outcome, runSeed } from './run-seed.ts';

const MAX_RUNS = 400;

export async function shrink(failing: Outcome): Promise<Outcome> {
  const invariant = failing.violation?.invariant;
  let best = failing;
  let omitted: Omitted = NOTHING_OMITTED;
  let runs = 0;
  const attempt = async (next: Omitted): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const outcome = await runSeed(failing.seed, next);
    if (outcome.violation?.invariant !== invariant) return false;
    best = outcome;
    omitted = next;
    return true;
  };
  await leaveOut(
    () => best.schedule.map(({ step }) => step.index),
    (steps) => attempt({ ...omitted, steps: new Set([...omitted.steps, ...steps]) }),
  );
  await leaveOut(
    () => [...best.faults.keys()],
    (faults) => attempt({ ...omitted, faults: new Set([...omitted.faults, ...faults]) }),
  );
  return best;
}

/**
 * Leaves out what is not needed, in ever smaller portions.
 * @param present what is still there
 * @param attempt whether it still fails without these; then they are gone
 */
export async function leaveOut<T>(
  present: () => readonly T[],
  attempt: (some: readonly T[]) => Promise<boolean>,
): Promise<void> {
  for (let size = Math.ceil(present().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what came after the failure goes first, and at once.
    for (let end = present().length; end > 0; end -= size) {
      await attempt(present().slice(Math.max(0, end - size), end));
    }
  }
}
