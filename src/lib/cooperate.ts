/**
 * Cooperative yielding: long work gives way to the other requests of its isolate.
 *
 * An isolate runs one thing at a time, so a loop over a million records would have every lookup of the isolate wait for
 * all of it. Clocks stand still while a Worker computes, so the work counts what it has done, in records, and lets the
 * event loop turn after a bounded number of them. What lets others in was tried in workerd (docs/decisions/0031): a
 * timer of 0 ms does. A microtask does not, nor a message, nor an answer of the storage that is there already, so an
 * `await` by itself proves nothing, and no loop may rely on its reads for giving way.
 *
 * Whoever waits for a turn must expect that anything else of the isolate has run when it comes back.
 */

/** A long computation that can be left and taken up again: each yield tells the records done since the one before. */
export type Steps<T> = Generator<number, T, void>;

/** Between two turns: a millisecond or so of a merge, which spends about 1 us a record. */
export const TURN_RECORDS = 1_024;
/** Rows that are only gone through in typed arrays, which take some 10 to 50 ns, as against a record. */
const ROWS_A_RECORD = 32;
/** Bytes of JSON that are written, or read and checked, in the time of a record. */
const JSON_BYTES_A_RECORD = 192;
/** Such rows in a step: few enough not to be felt, many enough that stopping between steps costs nothing. */
export const STEP_ROWS = 4_096;

/**
 * Counts work against the turns of the event loop. One serves an isolate, so that concurrent work counts together: the
 * works that waited for a turn divide the records until the next one among them. Each waits for a turn of its own,
 * since a timer ends with the request that set it, and whoever waited for another's would wait for ever.
 */
export class Pacer {
  readonly #turn: () => Promise<void>;
  readonly #limit: number;
  #done = 0;
  /** What each of those that go on may do until the next turn. */
  #portion: number;
  /** Turns that are over, however many waited for one. */
  #turns = 0;
  /** Works that have asked for a turn since the latest. */
  #waiting = 0;

  /** @param turn resolves when whatever else was ready to run has run */
  constructor(turn: () => Promise<void>, limit = TURN_RECORDS) {
    this.#turn = turn;
    this.#limit = limit;
    this.#portion = limit;
  }

  /** Adds records that are done. Returns whether it is time to give way: then `giveWay` is to be awaited. */
  count(records: number): boolean {
    this.#done += records;
    return this.#done >= this.#portion;
  }

  /** Lets the event loop turn. The count begins anew when it has: until then, everybody's turn is due. */
  async giveWay(): Promise<void> {
    const turns = this.#turns;
    this.#waiting += 1;
    await this.#turn();
    // The first to come back begins the time until the next turn; the others that waited with it go on in it, too.
    if (turns === this.#turns) {
      this.#turns += 1;
      this.#portion = this.#limit / this.#waiting;
      this.#waiting = 0;
    }
    this.#done = 0;
  }

  /** Runs a computation, and gives way between its steps whenever it is time. */
  async run<T>(steps: Steps<T>): Promise<T> {
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done === true) return step.value;
      if (this.count(step.value)) await this.giveWay();
    }
  }
}

/** For programs that serve nobody while they work: never gives way. */
export const UNPACED = new Pacer(async () => undefined, Number.POSITIVE_INFINITY);

/** Runs a computation to its end at once. */
export function finish<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** Records of this many rows of typed arrays, for `count`. */
export function rowWork(rows: number): number {
  return rows / ROWS_A_RECORD;
}

/** Records of this many bytes of JSON, for `count`. */
export function jsonWork(bytes: number): number {
  return bytes / JSON_BYTES_A_RECORD;
}

/**
 * Two turns of the event loop of a Worker. A request that has come in needs two as a rule, one to be read and one to be
 * answered: with a single turn it waited for a second portion of the work (docs/decisions/0031).
 */
export async function eventLoopTurn(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
