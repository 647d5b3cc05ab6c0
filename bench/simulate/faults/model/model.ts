/**
 * The model: which uploads there are, which generations were published, and what each of them must list. It shares no
 * code with the product. It learns of uploads when a batch lands in the store, and of generations when a manifest does.
 * What a generation holds it computes from what people asked for, and from what the generation says of itself: which
 * batches it merged, and which rows it keeps out.
 */

import type { Configuration } from './configuration.ts';
import {
  type BatchFile,
  type HistoryFile,
  type HistoryPage,
  type LedgerFile,
  type ManifestHead,
  readBatch,
  readJson,
  readManifest,
  SET_ASIDE_PAGE,
  type SetAsideFile,
  type WithdrawalsFile,
} from './decode.ts';
import { type PlainBatch, type PlainBody, type PlainOwner, type PlainRow, rowsOf } from './detections.ts';
import { type Generation, isInInventory, type PlainLedger, plainLedger } from './generation.ts';
import { checkCanaries, checkLedger, Judge } from './judge.ts';

interface RollbackRequest {
  readonly target: number;
  readonly requeue: boolean;
}

interface ModelWatch {
  onBroken(invariant: string, detail: string): void;
  now(): number;
  /** An object as the store has it at this moment. */
  read(key: string): Uint8Array | null;
  readonly configuration: Configuration;
}

const EMPTY: Generation = {
  generation: 0,
  commit: '',
  publishedAt: 0,
  committedAt: Number.NEGATIVE_INFINITY,
  supersededAt: Number.POSITIVE_INFINITY,
  merged: new Set(),
  setAside: new Map(),
  replay: new Set(),
  withdrawn: new Set(),
  pending: new Map(),
  revived: new Set(),
  unsettled: new Map(),
  ledger: { cases: new Map(), excludedRows: new Map() },
  retained: new Set(),
  isCompacting: false,
  runs: '',
};

export class Model {
  readonly #watch: ModelWatch;
  readonly #bodies = new Map<string, { readonly body: PlainBody; readonly owner: PlainOwner }>();
  readonly batches = new Map<string, PlainBatch>();
  /** Batches that were put among the waiting ones more than once. */
  readonly #cameBack = new Set<string>();
  readonly #rowsOf = new Map<number, PlainRow[]>();
  /** By number, oldest first; the first is the empty one. */
  readonly generations: Generation[] = [{ ...EMPTY }];
  /** Asked for and not known to have failed; one may be published long after its asker was told nothing. */
  readonly rollbacks: RollbackRequest[] = [];
  /** Batches that somebody has asked to be taken back, or to be brought back. */
  readonly askedToWithdraw = new Set<string>();
  readonly askedToRelease = new Set<string>();
  readonly #judge: Judge;
  /** What is on record of a generation, as text. */
  readonly #onRecord = new Map<number, string>();

  constructor(watch: ModelWatch) {
    this.#watch = watch;
    this.#judge = new Judge(watch.configuration);
  }

  get current(): Generation {
    return this.generations.at(-1) as Generation;
  }

  /** A body that somebody is about to send. */
  expect(body: PlainBody, owner: PlainOwner): void {
    this.#bodies.set(body.sha256, { body, owner });
  }

  /** A batch has landed among the waiting ones. Only the first of an id is one. */
  onBatch(id: string, bytes: Uint8Array): void {
    if (this.batches.has(id)) {
      this.#cameBack.add(id);
      return;
    }
    const file: BatchFile = readBatch(bytes);
    const sent = this.#bodies.get(file.bodySha256);
    const rows = sent === undefined ? null : rowsOf(id, sent.owner, sent.body, file.rows);
    if (sent === undefined || rows === null) {
      this.#broken('a batch holds what was sent', `${id} does not`);
      return;
    }
    this.batches.set(id, { id, ...sent, rows });
    for (const row of rows) {
      const known = this.#rowsOf.get(row.number);
      if (known === undefined) this.#rowsOf.set(row.number, [row]);
      else known.push(row);
    }
  }

  /** A manifest was put in the place of another. */
  onManifest(bytes: Uint8Array): void {
    const head = readManifest(bytes);
    const before = this.current;
    if (head.generation !== before.generation + 1 || head.parent !== (before.commit || null)) {
      this.#broken('generations follow each other', `${head.generation} was published after ${before.generation}`);
    }
    const history = this.#history(head);
    const ledger = this.#ledger(head);
    const merged = new Set(before.merged);
    for (const id of history.batches) {
      if (!this.batches.has(id)) this.#broken('only accepted batches are merged', id);
      if (merged.has(id)) {
        const why = this.#cameBack.has(id) ? ', after its put landed once more' : '';
        this.#broken('a batch is merged once', `${id} again by generation ${head.generation}${why}`);
      }
      merged.add(id);
    }
    for (const id of history.replayed) {
      if (!before.replay.has(id)) this.#broken('only batches to be replayed are', id);
    }
    const withdrawals = this.#withdrawals(head);
    const next: Generation = {
      generation: head.generation,
      commit: head.commit,
      publishedAt: head.publishedAt,
      committedAt: this.#watch.now(),
      supersededAt: Number.POSITIVE_INFINITY,
      merged,
      setAside: this.#setAside(head),
      replay: new Set(head.replay),
      withdrawn: new Set([...before.withdrawn, ...withdrawals.withdrawn.map(({ id }) => id)]),
      pending: new Map(withdrawals.pending.map(({ id, from }) => [id, from])),
      revived: before.revived,
      unsettled: new Map(),
      ledger,
      retained: new Set(head.retained.map(({ generation }) => generation)),
      isCompacting: head.compaction !== null,
      runs: head.runs.map(({ id }) => id).join(' '),
    };
    const restored = this.#restoredBy(before, next, history);
    if (restored === null) this.#checkInventory(before, next, history);
    const breaches = this.#checkSources(before, next, history, null);
    // One that changes nothing but what is held cannot be told from a decision on a source.
    const broken =
      breaches.length > 0 && restored !== null ? this.#checkSources(before, next, history, restored) : breaches;
    for (const [invariant, detail] of broken) this.#broken(invariant, detail);
    const revived = [...before.revived, ...(restored === null ? [] : this.#revivedFrom(restored, next))];
    before.supersededAt = this.#watch.now();
    this.generations.push({
      ...next,
      revived: new Set(revived.filter((one) => isPending(next, one))),
      // A chunk of a withdrawal can leave exactly the runs of a generation somebody asked to return to; then it cannot
      // be told from a rollback.
      unsettled: this.#unsettled(restored === null ? [before] : [before, restored], next),
    });
  }

  generation(number: number): Generation | undefined {
    return this.generations[number];
  }

  /** Those that were the newest at some moment of a stretch of time. */
  between(fromMs: number, toMs: number): Generation[] {
    return this.generations.filter(({ committedAt, supersededAt }) => committedAt <= toMs && supersededAt >= fromMs);
  }

  /** The rows of a number that a generation counts. */
  rowsIn(generation: Generation, number: number): PlainRow[] {
    return (this.#rowsOf.get(number) ?? []).filter((row) => isCounted(generation, row));
  }

  /** Of those, the ones that it may not count any more. */
  unsettledIn({ unsettled, revived }: Generation, rows: readonly PlainRow[]): PlainRow[] {
    if (unsettled.size + revived.size === 0) return [];
    return rows.filter(
      ({ batch, number, feed }) => unsettled.get(batch)?.has(number) === true || revived.has(pairOf(batch, feed)),
    );
  }

  /** Every number that was ever accepted. */
  numbers(): Iterable<number> {
    return this.#rowsOf.keys();
  }

  /** Whether there are any. */
  isUnsettled({ unsettled, revived }: Generation): boolean {
    return revived.size > 0 || [...unsettled.values()].some(({ size }) => size > 0);
  }

  /** Of a generation, which stands at the end of a page; what else is on the page was on record before. */
  #history({ generation, commit, history }: ManifestHead): HistoryFile {
    const key = history ?? historyKey(generation, commit);
    const bytes = this.#watch.read(key);
    const page = bytes === null ? null : (readJson(bytes) as HistoryPage);
    const own = page?.entries.at(-1);
    if (page === null || own === undefined || page.generation !== generation || own.commit !== commit) {
      this.#broken('what a generation merged is on record before it is published', key);
      return { commit, batches: [], replayed: [] };
    }
    const first = generation - page.entries.length + 1;
    for (const [i, entry] of page.entries.slice(0, -1).entries()) {
      if (this.#onRecord.get(first + i) !== JSON.stringify(entry)) {
        this.#broken('what is on record stays so', `generation ${first + i} in ${key}`);
      }
    }
    const before = page.parent === null ? null : historyKey(first - 1, page.parent);
    if (before === null ? first !== 1 : this.#watch.read(before) === null) {
      this.#broken('what is on record stays so', `before generation ${first} in ${key}`);
    }
    this.#onRecord.set(generation, JSON.stringify(own));
    return own;
  }

  #setAside({ setAside: { key, count } }: ManifestHead): Map<string, string> {
    const ids = new Map<string, string>();
    for (let page = 0; key !== null && page * SET_ASIDE_PAGE < count; page++) {
      const name = `${key}-${String(page).padStart(6, '0')}`;
      const bytes = this.#watch.read(name);
      if (bytes === null) this.#broken('what is set aside is listed before it is published', name);
      else for (const { id, reason } of (readJson(bytes) as SetAsideFile).batches) ids.set(id, reason);
    }
    return ids;
  }

  #ledger({ ledger }: ManifestHead): PlainLedger {
    if (ledger === null) return EMPTY.ledger;
    const bytes = this.#watch.read(ledger);
    if (bytes !== null) {
      return plainLedger(readJson(bytes) as LedgerFile, (key) => {
        const page = this.#watch.read(key);
        return page === null ? null : (readJson(page) as { batches: { id: string; rows: number }[] });
      });
    }
    this.#broken('a ledger is written before it is published', ledger);
    return EMPTY.ledger;
  }

  /** The generation that a rollback has returned to which somebody asked for; null: this is none. */
  #restoredBy(before: Generation, next: Generation, history: HistoryFile): Generation | null {
    if (history.batches.length > 0 || history.replayed.length > 0 || next.isCompacting) return null;
    for (const { target, requeue } of this.rollbacks) {
      const goal = this.generations[target];
      if (goal === undefined || !before.retained.has(target) || goal.runs !== next.runs) continue;
      const out = [...next.merged].filter((id) => !isInInventory(goal, id) && !next.withdrawn.has(id));
      const again = out.filter((id) => requeue && !before.setAside.has(id));
      const aside = out.filter((id) => !again.includes(id));
      if (sameSet(next.replay, new Set(again)) && sameSet(keysOf(next.setAside), new Set(aside))) return goal;
    }
    return null;
  }

  /** Of what has been dropped by now, what the inventory returned to has. */
  #revivedFrom(restored: Generation, next: Generation): Set<string> {
    const revived = new Set<string>();
    for (const [feed, { dropped }] of next.ledger.cases) {
      for (const batch of dropped) {
        const had = this.batches.get(batch)?.rows.some((row) => row.feed === feed && isCounted(restored, row)) === true;
        if (had) revived.add(pairOf(batch, feed));
      }
    }
    return revived;
  }

  /** Numbers of pending batches that were computed anew since the generation before, or earlier. */
  #unsettled(origins: readonly Generation[], next: Generation): Map<string, Set<number>> {
    const anew = new Set<number>();
    for (const [batch, from] of origins.flatMap(({ pending }) => [...pending])) {
      const to = next.pending.get(batch) ?? Number.POSITIVE_INFINITY;
      if (to <= from) continue;
      for (const { number } of this.batches.get(batch)?.rows ?? []) if (number >= from && number < to) anew.add(number);
    }
    const unsettled = new Map<string, Set<number>>();
    for (const batch of next.pending.keys()) {
      const own = (this.batches.get(batch)?.rows ?? [])
        .map(({ number }) => number)
        .filter((number) => anew.has(number));
      const known = origins.flatMap((one) => [...(one.unsettled.get(batch) ?? [])]);
      unsettled.set(batch, new Set([...known, ...own]));
    }
    return unsettled;
  }

  #withdrawals({ withdrawals }: ManifestHead): WithdrawalsFile {
    if (withdrawals === null || withdrawals === undefined) return { withdrawn: [], pending: [] };
    const bytes = this.#watch.read(withdrawals.key);
    if (bytes !== null) return readJson(bytes) as WithdrawalsFile;
    this.#broken('withdrawals are listed before they are published', withdrawals.key);
    return { withdrawn: [], pending: [] };
  }

  /** Without a rollback, batches come into the inventory by a merge or a replay, and leave it by a withdrawal. */
  #checkInventory(before: Generation, next: Generation, history: HistoryFile): void {
    const replay = new Set(before.replay);
    const aside = new Set(before.setAside.keys());
    for (const id of history.replayed) replay.delete(id);
    for (const [id, reason] of next.setAside) {
      if (aside.has(id)) continue;
      // Whatever is accepted can be merged; but ticks may have died of it, as far as they can tell.
      if (reason === 'failed') this.#broken('what is accepted can be merged', id);
      if (reason !== 'failed' && reason !== 'exhausted') continue;
      aside.add(id);
      replay.delete(id);
    }
    for (const id of next.withdrawn) {
      if (before.withdrawn.has(id)) continue;
      if (!this.askedToWithdraw.has(id)) this.#broken('nothing is taken back that nobody asked for', id);
      aside.delete(id);
      replay.delete(id);
    }
    for (const id of next.replay) {
      if (replay.has(id) || !this.askedToRelease.has(id) || !aside.delete(id)) continue;
      replay.add(id);
    }
    if (sameSet(keysOf(next.setAside), aside) && sameSet(next.replay, replay)) return;
    const detail = `generation ${next.generation} has other batches than merges and rollbacks give it`;
    this.#broken('batches leave the inventory by a rollback that was asked for', detail);
  }

  #checkSources(before: Generation, next: Generation, history: HistoryFile, restored: Generation | null) {
    const breaches: [invariant: string, detail: string][] = [];
    const onBroken = (invariant: string, detail: string) => breaches.push([invariant, detail]);
    const { configuration } = this.#watch;
    const everCanaries = new Set(configuration.canaries.flatMap(({ numbers }) => [...numbers]));
    checkLedger(before, next, { history, restored, batches: this.batches, everCanaries }, onBroken);
    if (restored !== null) return breaches;
    this.#judge.check(before, next, history, this.batches, onBroken);
    const rows = (number: number) => this.#rowsOf.get(number) ?? [];
    const isNow = (row: PlainRow) => isCounted(next, row);
    const wasThen = (row: PlainRow) => isCounted(before, row);
    checkCanaries(configuration, next, isNow, wasThen, rows, onBroken);
    return breaches;
  }

  #broken(invariant: string, detail: string): void {
    this.#watch.onBroken(invariant, detail);
  }
}

function isCounted(generation: Generation, { batch, feed, source, number }: PlainRow): boolean {
  if (!isInInventory(generation, batch)) return false;
  const { ledger, pending, revived, withdrawn } = generation;
  const isTakenOut = number < (pending.get(batch) ?? 0);
  if (withdrawn.has(batch) && isTakenOut) return false;
  const one = ledger.cases.get(feed);
  if (one?.dropped.has(batch)) return revived.has(pairOf(batch, feed)) && !isTakenOut;
  if (one?.held.has(batch) || one?.pendingRelease.has(batch)) return false;
  return ledger.excludedRows.get(batch)?.get(source)?.has(number) !== true;
}

function historyKey(generation: number, commit: string): string {
  return `history/${String(generation).padStart(10, '0')}-${commit}`;
}

function pairOf(batch: string, feed: string): string {
  return `${batch} ${feed}`;
}

function isPending({ pending }: Generation, pair: string): boolean {
  return pending.has(pair.slice(0, pair.indexOf(' ')));
}

function keysOf<T>(map: ReadonlyMap<T, unknown>): Set<T> {
  return new Set(map.keys());
}

function sameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((value) => b.has(value));
}
