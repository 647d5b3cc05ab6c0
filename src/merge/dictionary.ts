/** What a merge knows of circumstances and profiles: each distinct one once, as a small integer. */
import { CircumstancesTable, parseKind } from '../format/circumstances.ts';
import { crc32 } from '../format/crc32.ts';
import { type Profile, parseProfile, profileText, unionProfile } from '../format/profile.ts';

export class MergeDictionary {
  readonly #circumstances = new CircumstancesTable();
  /** By circumstances id, once asked for: its profile id, and its place in the canonical order. */
  readonly #profileOf: (number | undefined)[] = [];
  readonly #order: (number | undefined)[] = [];
  readonly #profiles: Profile[] = [];
  readonly #profileTexts: string[] = [];
  readonly #profileIds = new Map<string, number>();
  readonly #unions = new Map<number, number>();

  circumstancesId(text: string): number {
    return this.#circumstances.idOf(text);
  }

  /** How many circumstances it holds. */
  get size(): number {
    return this.#circumstances.size;
  }

  circumstancesText(id: number): string {
    return this.#circumstances.text(id);
  }

  /** The profile of a record with only these circumstances. */
  profileOf(circumstancesId: number): number {
    const known = this.#profileOf[circumstancesId];
    if (known !== undefined) return known;
    const { label, channel, industry } = parseKind(this.circumstancesText(circumstancesId));
    const id = this.#internProfile({
      labels: [label],
      channels: [channel],
      industries: industry === null ? [] : [industry],
    });
    this.#profileOf[circumstancesId] = id;
    return id;
  }

  /**
   * Canonical order of a number's evidence: by CRC-32 of the text, then by text. A hash order makes "the first 256"
   * a fair sample that comes out the same however the entries were merged.
   */
  compare(a: number, b: number): number {
    if (a === b) return 0;
    const difference = this.#orderOf(a) - this.#orderOf(b);
    if (difference !== 0) return difference;
    const [textA, textB] = [this.circumstancesText(a), this.circumstancesText(b)];
    return textA < textB ? -1 : textA > textB ? 1 : 0;
  }

  #orderOf(id: number): number {
    const known = this.#order[id];
    if (known !== undefined) return known;
    const order = crc32(this.circumstancesText(id));
    this.#order[id] = order;
    return order;
  }

  profileId(text: string): number {
    return this.#profileIds.get(text) ?? this.#internProfile(parseProfile(text));
  }

  get profileCount(): number {
    return this.#profiles.length;
  }

  profileText(id: number): string {
    return this.#profileTexts[id] as string;
  }

  union(a: number, b: number): number {
    if (a === b) return a;
    // Profile ids stay far below 2^26: a key of both is an exact integer.
    const key = Math.min(a, b) * 2 ** 26 + Math.max(a, b);
    const known = this.#unions.get(key);
    if (known !== undefined) return known;
    const id = this.#internProfile(unionProfile(this.#profiles[a] as Profile, this.#profiles[b] as Profile));
    this.#unions.set(key, id);
    return id;
  }

  #internProfile(profile: Profile): number {
    const text = profileText(profile);
    const known = this.#profileIds.get(text);
    if (known !== undefined) return known;
    const id = this.#profiles.length;
    this.#profiles.push(profile);
    this.#profileTexts.push(text);
    this.#profileIds.set(text, id);
    return id;
  }
}
