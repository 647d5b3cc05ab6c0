/** Whether what is measured is right: answers over HTTP against the numbers columns, read number by number. */
import type { LookupAnswer } from '../../src/policy/answer.ts';
import { SUSPECT_SCORE } from '../../src/policy/neighbourhood.ts';
import type { LoadRequest } from './load.ts';
import { BATCH_PATH, getRequest, LOOKUP_PATH, postRequest } from './routes.ts';
import type { NumberSample } from './sample.ts';
import type { StoredNumbers } from './stored-numbers.ts';

/** What the columns say. */
type Columns = Pick<StoredNumbers, 'has' | 'neighbours'>;

/** Of each kind, by GET, by POST and in a batch. */
const CHECKED_NUMBERS = 100;

/**
 * Asks for some numbers of each kind and compares the answers.
 * @returns how many answers were right
 * @throws Error at the first that was not
 */
export async function checkAnswers(url: string, key: string, sample: NumberSample, stored: Columns) {
  const some = [sample.warm, sample.unlisted].flatMap((numbers) => numbers.slice(0, CHECKED_NUMBERS));
  const batchRequest = postRequest(BATCH_PATH, { numbers: some.map((number) => `+${number}`) }, key);
  const { results } = (await ask(url, batchRequest)) as { readonly results: readonly LookupAnswer[] };
  let right = 0;
  for (const [i, number] of some.entries()) {
    const byGet = (await ask(url, getRequest(LOOKUP_PATH, number, key))) as LookupAnswer;
    const byPost = await ask(url, postRequest(LOOKUP_PATH, { number: `+${number}` }, key));
    const problem = wrongIn(byGet, number, stored);
    if (problem !== null) throw new Error(`a wrong answer: ${problem}`);
    for (const other of [byPost, results[i]]) {
      if (JSON.stringify(other) !== JSON.stringify(byGet))
        throw new Error('GET, POST and the batch answer differently');
    }
    right += 3;
  }
  return right;
}

async function ask(url: string, { method, path, headers, body }: LoadRequest): Promise<unknown> {
  const response = await fetch(url + path, { method, headers, body: body ?? null });
  if (response.status !== 200) throw new Error(`${method} ${path.split('?')[0]} answers ${response.status}`);
  return response.json();
}

/** Scores are shown with two decimals; none of a sample was seen so close to the threshold that they hide the side. */
const SHOWN_SUSPECT_SCORE = Math.round(SUSPECT_SCORE * 100) / 100;

/** What is wrong with an answer, or null. */
export function wrongIn(answer: LookupAnswer, number: number, stored: Columns): string | null {
  const isListed = stored.has(number);
  const hundred = stored.neighbours(number, 100);
  const thousand = stored.neighbours(number, 1000);
  // The inventory is of 2025: some of its numbers have aged out, and are answered as if they were not listed.
  const isActive = isListed && answer.expired !== true;
  const score = answer.neighbourhood?.score ?? 0;
  // What a score makes of a number is shown by test/unit/serve; here answers must agree with themselves.
  const verdict = isActive ? 'listed' : score >= SHOWN_SUSPECT_SCORE ? 'suspect' : 'clear';
  if (answer.expired === true && !isListed) return 'expired, of a number that is not in the store';
  if (answer.number !== `+${number}`) return 'another number';
  if (answer.verdict !== verdict) return `the verdict ${answer.verdict} and not ${verdict}`;
  if (answer.neighbourhood?.hundred !== hundred || answer.neighbourhood.thousand !== thousand) {
    return `a neighbourhood of ${JSON.stringify(answer.neighbourhood)}, not ${hundred} and ${thousand}`;
  }
  const hasRecord = answer.level !== null && answer.firstSeen !== null && (answer.sightings ?? 0) > 0;
  if (hasRecord !== isActive) return `a record of ${answer.sightings} sightings for the verdict ${verdict}`;
  const { level } = answer;
  const action =
    level !== null && level >= 8 ? 'block' : verdict !== 'clear' && (level ?? 5) >= 5 ? 'challenge' : 'allow';
  return answer.action === action ? null : `the action ${answer.action} and not ${action}`;
}
