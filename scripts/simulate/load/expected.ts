/** What clients were told, as plain counts: shares no code with the product. */

/** Of one number: sightings that were acknowledged, and those of uploads whose answer was lost for good. */
interface Sightings {
  acknowledged: number;
  uncertain: number;
}

export class Expected {
  readonly #numbers = new Map<string, Sightings>();
  /** Every sighting ever sent, by the time it was sent: no answer may have more. */
  readonly #sent = new Map<string, number>();
  acknowledged = 0;

  send(numbers: readonly string[]): void {
    for (const number of numbers) this.#sent.set(number, (this.#sent.get(number) ?? 0) + 1);
  }

  acknowledge(numbers: readonly string[]): void {
    for (const number of numbers) this.#of(number).acknowledged += 1;
    this.acknowledged += numbers.length;
  }

  /** Sent without an Idempotency-Key, and the connection broke: nobody can know. */
  lose(numbers: readonly string[]): void {
    for (const number of numbers) this.#of(number).uncertain += 1;
  }

  /** Why an answer cannot be right while uploads are under way, or null. */
  faultNow(number: string, { verdict, sightings }: Answer): string | null {
    const sent = this.#sent.get(number) ?? 0;
    if (verdict !== 'listed') return null;
    if ((sightings ?? 0) > sent) return `listed with ${sightings} sightings, of which ${sent} were ever sent`;
    return null;
  }

  /** Why an answer cannot be right once all is merged, or null. */
  faultAtRest(number: string, { verdict, sightings }: Answer): string | null {
    const { acknowledged, uncertain } = this.#numbers.get(number) ?? { acknowledged: 0, uncertain: 0 };
    const found = verdict === 'listed' ? (sightings ?? 0) : 0;
    if (found >= acknowledged && found <= acknowledged + uncertain) return null;
    return `expected ${acknowledged} to ${acknowledged + uncertain} sightings; found ${verdict} with ${found}`;
  }

  get numbers(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  #of(number: string): Sightings {
    const found = this.#numbers.get(number) ?? { acknowledged: 0, uncertain: 0 };
    this.#numbers.set(number, found);
    return found;
  }
}

/** What is compared of a lookup's answer. */
export interface Answer {
  readonly verdict: string;
  readonly sightings: number | null;
}
