/** Findings of any earlier moment: beside those that the snapshot answers for, of generations that are still retained. */
import { decodeManifest } from '../format/manifest.ts';
import { generationKey, RETAINED_PREFIX } from '../store/keys.ts';
import { AsOfFinder, findAsPublished, type Moment, type PastFinding } from './as-of.ts';
import type { ServeContext } from './context.ts';
import type { Finder, FindOptions } from './finder.ts';
import { Snapshot } from './snapshot.ts';

export class PastFinder {
  readonly #finder: Finder;
  readonly #asOf: AsOfFinder;
  readonly #context: ServeContext;

  constructor(finder: Finder, context: ServeContext) {
    this.#finder = finder;
    this.#asOf = new AsOfFinder(finder, context);
    this.#context = context;
  }

  /** Rejects when storage cannot answer. */
  async find(number: number, moment: Moment, options: FindOptions): Promise<PastFinding> {
    const found = await this.#asOf.find(number, moment, options);
    return found.kind === 'other-generation' ? this.#inGeneration(number, found, options) : found;
  }

  async #inGeneration(
    number: number,
    { generation, snapshot }: { readonly generation: number; readonly snapshot: Snapshot },
    options: FindOptions,
  ): Promise<PastFinding> {
    const { manifest } = snapshot;
    const retained = manifest.retained.find((entry) => entry.generation === generation);
    const object =
      retained === undefined
        ? null
        : await this.#context.objects.get(generationKey(RETAINED_PREFIX, generation, retained.commit));
    if (object === null) {
      const known = manifest.retained.map((entry) => entry.generation);
      return { kind: 'not-retained', retained: [...known, manifest.generation] };
    }
    return findAsPublished(this.#finder, new Snapshot(decodeManifest(object.bytes)), number, options);
  }
}
