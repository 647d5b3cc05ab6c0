/** What must be listed, by libphonenumber and plain maps alone: no code of the project. */
import parsePhoneNumber, { getCountries, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import type { Answer } from './local-server.ts';

export interface Expected {
  firstSeen: string;
  lastSeen: string;
  sightings: number;
}

/** International forms that the plans have dropped, and what became of them (docs/decisions/0025-which-number.md). */
const OLD_FORMS: readonly (readonly [RegExp, string])[] = [
  [/^52(?:1|01|044|045)(\d{10})$/, '52$1'],
  [/^55(\d\d)([689]\d{7})$/, '55$1' + '9$2'],
  [/^229(\d{8})$/, '22901$1'],
];

export class ExpectedInventory {
  readonly numbers = new Map<string, Expected>();
  /** Lines with no valid number. */
  rejected = 0;
  readonly #parsed = new Map<string, string | null>();

  #e164(digits: string): string | null {
    const known = this.#parsed.get(digits);
    if (known !== undefined) return known;
    const texts = /^\d+$/.test(digits) ? [digits, ...OLD_FORMS.map(([form, now]) => digits.replace(form, now))] : [];
    const readings = texts.map((text) => parsePhoneNumber(`+${text}`));
    // E.164 has at most 15 digits; the metadata knows longer ranges of a few countries.
    const number = readings.find((one) => one?.isValid() && one.number.length <= 16)?.number ?? null;
    this.#parsed.set(digits, number);
    return number;
  }

  /** Days are UTC, YYYY-MM-DD. */
  add(digits: string, firstSeen: string, lastSeen: string, sightings: number): void {
    const number = this.#e164(digits);
    if (number === null) {
      this.rejected += 1;
      return;
    }
    const record = this.numbers.get(number);
    if (record === undefined) {
      this.numbers.set(number, { firstSeen, lastSeen, sightings });
      return;
    }
    if (firstSeen < record.firstSeen) record.firstSeen = firstSeen;
    if (lastSeen > record.lastSeen) record.lastSeen = lastSeen;
    record.sightings += sightings;
  }

  /**
   * The numbers that are not answered as they must be, with why; not the numbers themselves.
   * @param day on which they were asked for, YYYY-MM-DD in UTC
   */
  differences(answers: readonly Answer[], day: string): string[] {
    const found: string[] = [];
    for (const answer of answers) {
      const expected = expectedAnswer(this.numbers.get(answer.number), day);
      // Which of the two a number beyond its horizon is, its neighbourhood says.
      const verdict = expected?.expired && answer.verdict === 'suspect' ? 'clear' : answer.verdict;
      const { level, firstSeen, lastSeen, sightings } = answer;
      const labels = answer.labels.join();
      const channels = answer.channels.join();
      const told = {
        verdict,
        level,
        labels,
        channels,
        firstSeen,
        lastSeen,
        sightings,
        expired: answer.expired ?? false,
      };
      if (JSON.stringify(told) !== JSON.stringify(expected)) {
        found.push(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(told)}`);
      }
    }
    return found;
  }
}

/** Days since a public receiver's number was last seen from which its level is this (docs/AGEING.md). */
const LEVELS = [
  [1095, 4],
  [180, 5],
  [40, 6],
  [0, 7],
] as const;
const HORIZON_DAYS = 1460;

function expectedAnswer(record: Expected | undefined, day: string) {
  if (record === undefined) return null;
  const age = Math.max(0, (Date.parse(day) - Date.parse(record.lastSeen)) / 86_400_000);
  const level = LEVELS.find(([from]) => age >= from)?.[1] ?? null;
  if (age < HORIZON_DAYS) {
    const known = { verdict: 'listed', level, labels: 'public_sms_receiver', channels: 'public_receiver' };
    return { ...known, ...record, expired: false };
  }
  const nothing = { level: null, labels: '', channels: '', firstSeen: null, lastSeen: null, sightings: null };
  return { verdict: 'clear', ...nothing, expired: true };
}

/** Valid numbers of many countries that are not in the inventory, the same for the same seed. */
export function unlistedNumbers(count: number, inventory: ExpectedInventory, seed: number): string[] {
  const templates = getCountries().flatMap((country) => getExampleNumber(country, examples) ?? []);
  const numbers = new Set<string>();
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  while (numbers.size < count) {
    const template = templates[random(templates.length)];
    if (template === undefined) continue;
    const national = template.nationalNumber;
    const keep = 2 + random(4);
    const tail = Array.from({ length: Math.max(0, national.length - keep) }, () => random(10)).join('');
    const candidate = parsePhoneNumber(`+${template.countryCallingCode}${national.slice(0, keep)}${tail}`);
    if (candidate?.isValid() && !inventory.numbers.has(candidate.number)) numbers.add(candidate.number);
  }
  return [...numbers];
}
