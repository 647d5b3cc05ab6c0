/**
 * The inventory, number by number, in the order in which feeds might deliver it: many blocks are under way at any time,
 * and take turns at random.
 */

import { hash32, Permutation, Random } from '../../bench/support/random.ts';
import { Block, BlockIndex, BlockReader } from './blocks.ts';
import { FactDrawer } from './facts.ts';
import type { Layout } from './layout.ts';

/** Blocks under way at a time: 2 KB each. */
const OPEN_BLOCKS = 1024;

interface OpenBlock {
  readonly block: Block;
  /** Of its numbers, the first that is still to come. */
  next: number;
}

/** Walks the inventory once. After `next()` has answered true, `number` and `facts` are the next number's. */
export class InventoryWalk {
  number = 0;
  readonly facts = new FactDrawer();
  readonly #index: BlockIndex;
  readonly #reader: BlockReader;
  readonly #order: Permutation;
  readonly #random: Random;
  readonly #open: OpenBlock[] = [];
  #nextBlock = 0;

  constructor(layout: Layout) {
    this.#index = new BlockIndex(layout.groups);
    this.#reader = new BlockReader(layout);
    this.#order = new Permutation(this.#index.blocks, hash32(layout.seed, 1, 1));
    this.#random = new Random(hash32(layout.seed, 1, 2));
    while (this.#open.length < OPEN_BLOCKS && this.#nextBlock < this.#index.blocks) {
      const open = { block: new Block(), next: 0 };
      this.#fill(open);
      this.#open.push(open);
    }
  }

  next(): boolean {
    const open = this.#open;
    if (open.length === 0) return false;
    const turn = this.#random.below(open.length);
    const current = open[turn];
    if (current === undefined) return false;
    const { block } = current;
    const i = current.next++;
    this.number = block.firstNumber + (block.offsets[i] ?? 0);
    this.facts.draw(block, i);
    if (current.next === block.size) {
      if (this.#nextBlock < this.#index.blocks) this.#fill(current);
      else {
        const last = open.pop();
        if (last !== undefined && turn < open.length) open[turn] = last;
      }
    }
    return true;
  }

  #fill(open: OpenBlock): void {
    this.#index.read(this.#order.at(this.#nextBlock++), this.#reader, open.block);
    open.next = 0;
  }
}
