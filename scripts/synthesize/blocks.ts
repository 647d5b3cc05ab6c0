/** The blocks of a layout with their numbers, drawn one at a time in any order. */

import { Random } from '../../bench/support/random.ts';
import { BlockDrawer } from './kinds.ts';
import { blockSeed, type Group, type Layout } from './layout.ts';
import { BLOCK_NUMBERS } from './ranges.ts';

/** Room for one block at a time. */
export class Block {
  firstNumber = 0;
  /** What its numbers' dates and circumstances are drawn from. */
  seed = 0;
  size = 0;
  /** How many, from the first in `offsets`, are captured again in the fortnight. */
  recaptured = 0;
  /** Which of its numbers are taken; `size` of them count. */
  readonly offsets = new Uint16Array(BLOCK_NUMBERS);
}

export class BlockReader {
  readonly #layout: Layout;
  readonly #drawer = new BlockDrawer();
  readonly #random = new Random(0);

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Fills in block `index` of a group. */
  read(group: Group, index: number, block: Block): void {
    const { seed, ranges, orders } = this.#layout;
    const place = group.place + index;
    block.firstNumber = ranges[group.country]?.firstNumber(orders[group.country]?.at(place) ?? 0) ?? 0;
    block.seed = blockSeed(seed, group.country, place);
    this.#random.restart(block.seed);
    const size = this.#drawer.drawOffsets(group.kind, this.#random, block.offsets);
    block.size = index === group.blocks - 1 ? group.lastSize : size;
    block.recaptured = group.recaptures[index] ?? 0;
  }
}

/** Finds blocks by their number over all groups. */
export class BlockIndex {
  readonly #groups: readonly Group[];
  readonly #blocksBefore: Float64Array;
  readonly blocks: number;

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
    this.#blocksBefore = new Float64Array(groups.length);
    let blocks = 0;
    for (const [i, group] of groups.entries()) {
      this.#blocksBefore[i] = blocks;
      blocks += group.blocks;
    }
    this.blocks = blocks;
  }

  read(block: number, reader: BlockReader, into: Block): void {
    let [low, high] = [0, this.#groups.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#blocksBefore[middle] ?? 0) <= block) low = middle;
      else high = middle - 1;
    }
    const group = this.#groups[low];
    if (group !== undefined) reader.read(group, block - (this.#blocksBefore[low] ?? 0), into);
  }
}
