/** What is to happen, earliest first; at the same time, in the order in which it was planned. */
interface Event {
  readonly at: number;
  readonly order: number;
  run(): void;
}

export class EventQueue {
  readonly #heap: Event[] = [];
  #planned = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  /** @param at not before now */
  plan(at: number, run: () => void): void {
    if (at < this.#now) throw new RangeError(`an event at ${at} is before now, ${this.#now}`);
    const event = { at, order: this.#planned++, run };
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  /** Runs events until none is left. */
  run(): void {
    while (this.step()) {}
  }

  /** Runs the events until then; then it is that time. */
  runUntil(at: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= at; next = this.#heap[0]) this.step();
    this.#now = Math.max(this.#now, at);
  }

  /** Runs the next event. false: there is none. */
  step(): boolean {
    const event = this.#take();
    if (event === undefined) return false;
    this.#now = event.at;
    event.run();
    return true;
  }

  #take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      let next = left;
      if (right !== undefined && isBefore(right, left)) {
        child += 1;
        next = right;
      }
      if (isBefore(last, next)) break;
      heap[i] = next;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
