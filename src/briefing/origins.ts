/** Where numbers are from: captured and first-time by country, against the period before. */
import type { Origin } from './briefing.ts';
import { by, changeOf, ratio } from './figures.ts';

const INTERNATIONAL = 'International';
/** One numbering plan, and one market: which of the two a number is of, nobody asks who buys it. */
const US_CANADA = 'US/Canada';

interface Counts {
  captured: number;
  firstTime: number;
  /** Captured in the days that are compared, and in the period before. */
  compared: number;
  previous: number;
}

export class OriginTally {
  readonly #groups = new Map<string, Counts>();

  countsOf(country: string | null): Counts {
    const group = groupOf(country);
    let counts = this.#groups.get(group);
    if (counts === undefined) {
      counts = { captured: 0, firstTime: 0, compared: 0, previous: 0 };
      this.#groups.set(group, counts);
    }
    return counts;
  }

  /** Those with numbers in the period, most first. */
  figures(captured: number): Origin[] {
    return [...this.#groups]
      .filter(([, counts]) => counts.captured > 0)
      .map(([group, counts]) => ({
        group,
        captured: counts.captured,
        firstTime: counts.firstTime,
        share: ratio(counts.captured, captured),
        compared: counts.compared,
        previous: counts.previous,
        change: changeOf(counts.compared, counts.previous),
      }))
      .sort(
        by(
          (each) => each.captured,
          (each) => each.group,
        ),
      );
  }
}

function groupOf(country: string | null): string {
  return country === 'US' || country === 'CA' ? US_CANADA : (country ?? INTERNATIONAL);
}
