/**
 * One at a time in an isolate: two briefings that are computed at once do not fit into its memory. Who comes while
 * another one works waits for a turn, and looks every now and then: a promise of another request must not be awaited in
 * Workers. No order is kept among those who wait.
 */
import { StorageUnavailable } from '../store/errors.ts';

const LOOK_EVERY_MS = 200;
/** `npm run briefing` waits two minutes for its answer, and it has to be computed, too. */
const WAIT_LIMIT_MS = 90_000;
/** Each holds a request and some KiB. More than that are no readers but a client run wild. */
const MAX_WAITING = 64;
/**
 * Work that ended with its request (the client went away) never says so. It reads storage several times a second, so
 * silence for this long is its end; a read that storage takes longer for has failed.
 */
const LOST_AFTER_MS = 30_000;

export interface TurnsDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** Of the work that has the turn. */
export interface Turn {
  /** Whether others were before it, so that what it read before may be out of date. */
  readonly hasWaited: boolean;
  /** Says that the work goes on. @throws StorageUnavailable if it was taken for lost and another one works now */
  goOn(): void;
}

export class Turns {
  readonly #deps: TurnsDeps;
  /** Whose turn it is, and when it last said that it goes on. */
  #holder: { aliveAt: number } | null = null;
  /** When each of those who wait last looked: they may go away without a word, too. */
  #waiting: { aliveAt: number }[] = [];

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
  }

  /** Does the work when it is its turn. Rejects with StorageUnavailable, with nothing done, if that takes too long. */
  async take<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    const { now } = this.#deps;
    const holder = { aliveAt: now() };
    const hasWaited = this.#isTaken();
    if (hasWaited) await this.#wait(holder);
    else this.#holder = holder;
    const goOn = () => {
      if (this.#holder !== holder) throw busy();
      holder.aliveAt = now();
    };
    try {
      return await work({ hasWaited, goOn });
    } finally {
      if (this.#holder === holder) this.#holder = null;
    }
  }

  #isTaken(): boolean {
    return this.#holder !== null && this.#deps.now() - this.#holder.aliveAt < LOST_AFTER_MS;
  }

  /** Until it is the turn of `waiter`, which it is then. */
  async #wait(waiter: { aliveAt: number }): Promise<void> {
    const { now, sleep } = this.#deps;
    const until = now() + WAIT_LIMIT_MS;
    this.#waiting = this.#waiting.filter(({ aliveAt }) => now() - aliveAt < LOST_AFTER_MS);
    if (this.#waiting.length >= MAX_WAITING) throw busy();
    this.#waiting.push(waiter);
    try {
      while (this.#isTaken()) {
        if (now() >= until) throw busy();
        await sleep(LOOK_EVERY_MS);
        waiter.aliveAt = now();
      }
      // In the same breath as the look that found it free: another who looks at the same moment finds it taken.
      this.#holder = waiter;
    } finally {
      this.#waiting = this.#waiting.filter((each) => each !== waiter);
    }
  }
}

function busy(): StorageUnavailable {
  return new StorageUnavailable('other briefings are being computed; try again');
}
