/** An isolate as it comes up: nothing in memory, and one request that both the manifest and the keys are read for. */
import type { Manifest } from '../../src/format/manifest.ts';
import type { Finding } from '../../src/policy/finding.ts';
import { EVIDENCE_BUDGET, NUMBERS_BUDGET, VERDICTS_BUDGET } from '../../src/serve/column-cache.ts';
import { Finder } from '../../src/serve/finder.ts';
import { StepObjectStore, StepSliceStore, Steps } from './step-stores.ts';
import { registryOn, type ServedWorld } from './world.ts';

/** Pauses between looks at another's read take no step. */
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export class Isolate {
  readonly steps = new Steps();
  readonly #finder: Finder;
  readonly #authenticated: Promise<boolean>;
  /** The most bytes of columns seen in memory. */
  peakCacheBytes = 0;

  constructor(world: ServedWorld) {
    const objects = new StepObjectStore(world.objects, this.steps);
    const slices = new StepSliceStore(world.slices, this.steps);
    // The clock stands still: refreshes of the snapshot are counted elsewhere (npm run simulate).
    const now = 0;
    this.#finder = new Finder({
      objects,
      slices,
      now: () => now,
      background: () => {},
      delay: soon,
      log: (event, details) => {
        throw new Error(`${event} ${JSON.stringify(details)}`);
      },
    });
    // As src/edge.ts: the snapshot is asked for while the first request is being authenticated.
    this.#finder.snapshots.get().catch(() => undefined);
    const registry = registryOn(objects, soon);
    this.#authenticated = registry.authenticate(world.token).then(({ kind }) => kind === 'known');
  }

  get manifest(): Promise<Manifest> {
    return this.#finder.snapshots.get().then(({ manifest }) => manifest);
  }

  /** One lookup, from the first byte that has to be read to the answer. */
  async lookup(number: number): Promise<Finding> {
    const work = async () => {
      if (!(await this.#authenticated)) throw new Error('the key was not known');
      const [finding] = await this.#finder.find([number], { evidence: false });
      if (finding === null || finding === undefined) throw new Error('a lookup has no finding');
      return finding;
    };
    const finding = await this.steps.until(work());
    const { columns } = this.#finder;
    if (columns.bytes > NUMBERS_BUDGET + VERDICTS_BUDGET + EVIDENCE_BUDGET)
      throw new Error('a cache is over its budget');
    this.peakCacheBytes = Math.max(this.peakCacheBytes, columns.bytes);
    return finding;
  }

  get numbersBytes(): number {
    return this.#finder.columns.numbers.cache.bytes;
  }
}
