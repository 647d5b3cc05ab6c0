/** Findings of an earlier moment: of the end of a UTC day, or of a generation that is still retained. */
import { decodeManifest } from '../format/manifest.ts';
import { SECONDS_PER_DAY } from '../format/records.ts';
import { Probe } from '../lookup/probe.ts';
import type { Finding } from '../policy/finding.ts';
import { generationKey, RETAINED_PREFIX } from '../store/keys.ts';
import { findPast } from './as-of.ts';
import type { ServeContext } from './context.ts';
import type { Finder, FindOptions } from './finder.ts';
import { neighboursAmong } from './neighbourhood.ts';
import { Snapshot } from './snapshot.ts';
import { View } from './view.ts';

/** UTC day since 1970, or the number of a generation. */
export type Moment = { readonly day: number } | { readonly generation: number };

export type PastFinding =
  | {
      readonly kind: 'found';
      readonly finding: Finding;
      /** The moment that days are counted from: the end of the day, or when the generation was published. */
      readonly at: number;
      /** See PastRecord. */
      readonly complete: boolean;
    }
  | { readonly kind: 'not-retained'; readonly retained: readonly number[] };

export class PastFinder {
  readonly #finder: Finder;
  readonly #context: ServeContext;

  constructor(finder: Finder, context: ServeContext) {
    this.#finder = finder;
    this.#context = context;
  }

  /** Rejects when storage cannot answer. */
  async find(number: number, moment: Moment, options: FindOptions): Promise<PastFinding> {
    const snapshot = await this.#finder.snapshots.get();
    if ('generation' in moment) return this.#inGeneration(snapshot, number, moment.generation, options);
    try {
      return await this.#onDay(snapshot, number, moment.day, options);
    } catch (error) {
      // The snapshot may be so old that its segments have been collected: once more, if there is a newer one.
      const newer = await this.#finder.snapshots.refresh();
      if (newer === snapshot) throw error;
      return this.#onDay(newer, number, moment.day, options);
    }
  }

  async #onDay(snapshot: Snapshot, number: number, day: number, { evidence }: FindOptions): Promise<PastFinding> {
    const view = new View(this.#finder.columns, snapshot, this.#context.objects);
    const probe = new Probe(number);
    probe.walk(snapshot, this.#finder.columns.numbers);
    const past = await findPast(view, probe, day);
    const finding: Finding = {
      generation: snapshot.manifest.generation,
      ageSeconds: snapshot.ageSeconds(this.#context.now()),
      record: past.record,
      ...neighboursAmong(past.neighbours, number, day),
      ...(evidence ? { evidence: past.evidence } : undefined),
    };
    return { kind: 'found', finding, at: (day + 1) * SECONDS_PER_DAY * 1000 - 1, complete: past.complete };
  }

  async #inGeneration(
    current: Snapshot,
    number: number,
    generation: number,
    options: FindOptions,
  ): Promise<PastFinding> {
    const { manifest } = current;
    const retained = manifest.retained.find((entry) => entry.generation === generation);
    if (manifest.generation === generation) return this.#found(current, number, options);
    const object =
      retained === undefined
        ? null
        : await this.#context.objects.get(generationKey(RETAINED_PREFIX, generation, retained.commit));
    if (object === null) {
      const known = manifest.retained.map((entry) => entry.generation);
      return { kind: 'not-retained', retained: [...known, manifest.generation] };
    }
    return this.#found(new Snapshot(decodeManifest(object.bytes)), number, options);
  }

  async #found(snapshot: Snapshot, number: number, options: FindOptions): Promise<PastFinding> {
    const at = snapshot.manifest.publishedAt;
    const finding = await this.#finder.findIn(snapshot, number, at, options);
    return { kind: 'found', finding: { ...finding, ageSeconds: 0 }, at, complete: true };
  }
}
