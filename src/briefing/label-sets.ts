/** Sets of labels as small integers: millions of records share a handful of them. */
export class LabelSets {
  readonly #ids = new Map<string, number>();
  readonly #sets: (readonly string[])[] = [];
  /** Of two ids, by their sum with the first in the high part. */
  readonly #unions = new Map<number, number>();

  get size(): number {
    return this.#sets.length;
  }

  /** @param labels in code unit order, as profiles have them */
  idOf(labels: readonly string[]): number {
    const text = JSON.stringify(labels);
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#sets.length;
    this.#ids.set(text, id);
    this.#sets.push(labels);
    return id;
  }

  labels(id: number): readonly string[] {
    const labels = this.#sets[id];
    if (labels === undefined) throw new RangeError(`no set of labels ${id}, there are ${this.size}`);
    return labels;
  }

  /** The id of the labels of either. */
  union(a: number, b: number): number {
    if (a === b) return a;
    const pair = a * 2 ** 26 + b;
    const known = this.#unions.get(pair);
    if (known !== undefined) return known;
    const id = this.idOf([...new Set([...this.labels(a), ...this.labels(b)])].sort());
    this.#unions.set(pair, id);
    return id;
  }
}
