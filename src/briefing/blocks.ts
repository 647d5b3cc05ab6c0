/** The thousand-blocks in which most numbers were captured. */
import type { BlockFigures } from './briefing.ts';
import { by } from './figures.ts';

const BLOCK_NUMBERS = 1000;
const MAX_BLOCKS = 20;
/** Kept before they are sorted and cut to the best. */
const MAX_CANDIDATES = 1024;

const byCaptured = by<BlockFigures>(
  (each) => each.captured,
  (each) => each.prefix,
);

export class BlockTally {
  #candidates: BlockFigures[] = [];
  /** Blocks with fewer cannot be among the best any more. */
  #least = 1;
  #block = -1;
  #country: string | null = null;
  #captured = 0;
  #firstTime = 0;

  /** A captured number; they come in order. A block is of the country of its first one. */
  add(number: number, country: string | null, isFirstTime: boolean): void {
    const block = Math.floor(number / BLOCK_NUMBERS);
    if (block !== this.#block) {
      this.#endBlock();
      this.#block = block;
      this.#country = country;
    }
    this.#captured += 1;
    if (isFirstTime) this.#firstTime += 1;
  }

  figures(): BlockFigures[] {
    this.#endBlock();
    this.#cut();
    return this.#candidates;
  }

  #endBlock(): void {
    if (this.#captured >= this.#least) {
      this.#candidates.push({
        prefix: `+${this.#block}`,
        country: this.#country,
        captured: this.#captured,
        firstTime: this.#firstTime,
      });
      if (this.#candidates.length >= MAX_CANDIDATES) this.#cut();
    }
    this.#captured = 0;
    this.#firstTime = 0;
  }

  #cut(): void {
    this.#candidates = this.#candidates.sort(byCaptured).slice(0, MAX_BLOCKS);
    if (this.#candidates.length === MAX_BLOCKS) this.#least = this.#candidates.at(-1)?.captured ?? 1;
  }
}
