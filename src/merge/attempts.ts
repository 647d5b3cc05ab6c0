/**
 * Ticks that die: of memory, or of their time, so that nothing can be caught. Only when batches have waited for minutes
 * and no generation has been published since does a tick say what it is about to take, before it opens it; one that
 * finds that an attempt on the same generation did not publish takes half as many, down to one. A single batch that ticks
 * die of is passed over, tried by itself a few times more, and then set aside unopened. As long as that goes on, the
 * manifest says how many batches a tick may take (`caution`); otherwise none of this is read or written.
 *
 * The object `attempt` changes and may be lost: then halving begins anew. Frame "RFAT" version 1 around JSON.
 */
import * as v from 'valibot';
import { framedJson } from '../format/framed-json.ts';
import type { Manifest } from '../format/manifest.ts';
import { ATTEMPT_KEY } from '../store/keys.ts';
import { type MergeContext, messageOf } from './context.ts';

/** Ticks come by the minute: an attempt that began later than the last of them may be under way. */
const UNDER_WAY_MS = 45_000;
/** Several ticks: one that is late, or lost its race, is no sign of anything. */
export const STUCK_AFTER_MS = 5 * 60_000;
/** Attempts that die of one batch before it is set aside, and the time between them, in which the others go on. */
export const MAX_TRIES = 3;
export const RETRY_AFTER_MS = 5 * 60_000;
/** By how much a tick that published raises what the next may take. */
const RECOVERY = 4;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const file = framedJson(
  'RFAT',
  1,
  v.object({
    /** Commit of the generation it began from; another one has been published since: it did not die. */
    commit: v.string(),
    /** Milliseconds since 1970. */
    at: count,
    /** How many it was about to take; 0: it came to an end. */
    batches: count,
    /** The batch, if it was one. */
    only: v.nullable(v.string()),
    /** Batches that single attempts died of. */
    suspects: v.array(v.object({ id: v.string(), tries: count, lastAt: count })),
  }),
);

type State = ReturnType<typeof file.decode>;
type Suspect = State['suspects'][number];

export interface Attempt {
  /** How many batches may be taken. */
  readonly most: number;
  /** Taken by itself, since it is suspect; or null. */
  readonly only: string | null;
  /** Not to be taken now. */
  readonly passedOver: ReadonlySet<string>;
  /** To be set aside unopened. */
  readonly exhausted: readonly string[];
  /** What the manifest is to say if this publishes; undefined: what it says. */
  readonly caution: number | null | undefined;
  /** Notes that it came to an end, whatever it threw: it did not die. */
  end(): Promise<void>;
}

/**
 * @param ids of the batches that could be taken, in their order
 * @param oldestAt when the oldest of them was uploaded, milliseconds since 1970
 */
export async function beginAttempt(
  context: MergeContext,
  manifest: Manifest,
  ids: readonly string[],
  oldestAt: number,
): Promise<Attempt> {
  const { budget } = context;
  const now = context.now();
  const isStuck = now - oldestAt > STUCK_AFTER_MS && now - manifest.publishedAt > STUCK_AFTER_MS;
  if (ids.length === 0 || (!isStuck && manifest.caution === undefined)) {
    const none = { only: null, passedOver: new Set<string>(), exhausted: [], caution: undefined };
    return { ...none, most: budget.batches, end: async () => {} };
  }
  const before = await readState(context);
  const hasDied = before?.commit === manifest.commit && before.batches > 0 && now - before.at >= UNDER_WAY_MS;
  const died = hasDied ? before : null;
  const suspects = suspectsAfter(before?.suspects ?? [], died).filter(({ id }) => ids.includes(id));
  const exhausted = suspects.filter(({ tries }) => tries >= MAX_TRIES).map(({ id }) => id);
  // To set them aside is all that such a tick does: nothing that it could die of comes between.
  const passedOver = new Set(exhausted.length > 0 ? ids : suspects.map(({ id }) => id));
  const others = ids.filter((id) => !passedOver.has(id));
  // A suspect has its turn when the last attempt did not die, or when nothing else waits.
  const isDue = ({ lastAt }: Suspect) => exhausted.length === 0 && now - lastAt >= RETRY_AFTER_MS;
  const retried = died === null || others.length === 0 ? (suspects.find(isDue)?.id ?? null) : null;
  const allowed = Math.min(manifest.caution ?? budget.batches, budget.batches);
  const isAlone = retried !== null || exhausted.length > 0;
  const most = isAlone ? 1 : died === null ? allowed : Math.max(1, Math.floor(died.batches / 2));
  const batches = retried !== null ? 1 : Math.min(most, others.length);
  const only = batches === 1 ? (retried ?? others[0] ?? null) : null;
  const state = { commit: manifest.commit, at: now, batches, only, suspects: [...suspects] };
  await context.objects.put(ATTEMPT_KEY, file.encode(state));
  if (died !== null) context.log('tick.died', { batches: died.batches, taken: batches });
  const raised = isAlone ? allowed : most * RECOVERY;
  const isOver = raised >= budget.batches && suspects.length === 0;
  return {
    most,
    only: retried,
    passedOver,
    exhausted,
    caution: isOver ? null : Math.min(raised, budget.batches),
    end: async () => {
      try {
        await context.objects.put(ATTEMPT_KEY, file.encode({ ...state, batches: 0 }));
      } catch (error) {
        // Taken for one that died: the next tick takes half as many, and publishes all the same.
        context.log('attempt.unended', { reason: messageOf(error) });
      }
    },
  };
}

/** A suspect that is merged, or moved away, is none any more: it no longer waits. */
function suspectsAfter(suspects: readonly Suspect[], died: State | null): readonly Suspect[] {
  if (died === null || died.only === null) return suspects;
  const { only: id, at: lastAt } = died;
  const tries = (suspects.find((one) => one.id === id)?.tries ?? 0) + 1;
  return [...suspects.filter((one) => one.id !== id), { id, tries, lastAt }];
}

async function readState({ objects, log }: MergeContext): Promise<State | null> {
  const object = await objects.get(ATTEMPT_KEY);
  if (object === null) return null;
  try {
    return file.decode(object.bytes);
  } catch (error) {
    log('attempt.damaged', { reason: messageOf(error) });
    return null;
  }
}
