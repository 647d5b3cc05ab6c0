/** What is measured: each route with the requests sent to it, and the empty route that it is held against. */

import { join } from 'node:path';
import { askJson } from '../../scripts/command/ask.ts';
import { KeyRegistry } from '../../src/keys/registry.ts';
import type { LookupAnswer } from '../../src/policy/answer.ts';
import { compilePolicy } from '../../src/policy/cel/compile.ts';
import type { PolicySource, RuleSource } from '../../src/policy/policy.ts';
import { SUSPECT_SCORE } from '../../src/policy/score.ts';
import { TenantStore } from '../../src/tenants/tenant-store.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';
import type { Random } from '../support/random.ts';
import { EMPTY_PATH } from './disk-stores.ts';
import type { LoadRequest } from './load.ts';
import type { NumberSample, StoredNumbers } from './numbers.ts';

// Two enterprises: one decides by the built-in policy, one by ten rules of its own.

const TENANT = 'ten-rules';

const enforced = (id: string, when: string, action: RuleSource['action']): RuleSource => {
  return { id, when, action, mode: 'enforce' };
};

/**
 * Rules of a sign-up as a fraud team would write them. They end at the same action as the built-in policy for every
 * number of the benchmark, and for a number that is not listed and not suspect all ten are evaluated.
 */
export const TEN_RULES: PolicySource = {
  rules: [
    enforced('partner', 'scenario == "partner" && level < 9', 'allow'),
    enforced('premium', 'lineType in ["premium_rate", "shared_cost", "pager"]', 'block'),
    enforced('modem-pool', 'level >= 8', 'block'),
    enforced('burned', 'verdict == "listed" && sightings >= 100000 && daysSinceSeen <= 30', 'block'),
    enforced('withdrawal', 'scenario == "withdrawal" && verdict != "clear"', 'block'),
    enforced('known-receiver', 'level >= 5 || labels.exists(label, label.startsWith("sim_farm"))', 'challenge'),
    enforced('dense', 'neighbourhood.hundred >= 10 && neighbourhood.score > 0.8', 'challenge'),
    enforced('suspect', 'verdict == "suspect"', 'challenge'),
    enforced(
      'market',
      'channels.exists(channel, channel in ["otp_marketplace", "api_receiver"]) && level >= 5',
      'challenge',
    ),
    enforced('unserved', 'country in ["AQ", "BV", "HM", "GS", "TF", "UM"]', 'flag'),
  ],
  default: 'allow',
};

export interface ClientKeys {
  readonly builtIn: string;
  readonly tenRules: string;
}

/** Writes keys and policy into `folder/objects`; both keys have the scope `lookup`. */
export async function createClients(folder: string): Promise<ClientKeys> {
  const deps = {
    objects: new DirectoryObjectStore(join(folder, 'objects')),
    now: () => Date.now(),
    waitUntil: () => undefined,
    report: (error: unknown) => console.error(error),
    randomBytes: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  };
  const keys = new KeyRegistry({ ...deps, adminKey: null });
  const keyOf = async (tenant: string) => {
    const created = await keys.create({ name: 'bench', scopes: ['lookup'], tenant });
    if (created.kind !== 'created') throw new Error(`the key could not be made: ${created.kind}`);
    return created.key;
  };
  const clients = { builtIn: await keyOf('default'), tenRules: await keyOf(TENANT) };
  const tenants = new TenantStore({ ...deps, holder: null });
  const put = await tenants.putPolicy({ tenant: TENANT, by: 'bench' }, compilePolicy(TEN_RULES));
  if (put.kind !== 'done') throw new Error(`the policy could not be put: ${put.kind}`);
  return clients;
}

export const LOOKUP_PATH = '/v1/lookup';
const BATCH_PATH = '/v1/lookup/batch';
const BATCH_NUMBERS = 1000;
/** Different bodies. */
const BATCHES = 64;
/** Of the numbers of a batch one in so many is listed. */
const LISTED_ONE_IN = 10;

/** Names in the table and in the bars. */
export const GET_EMPTY = 'GET, empty route';
export const GET_UNLISTED = 'GET lookup, not listed';
export const GET_LISTED = 'GET lookup, listed';
export const GET_UNLISTED_RULES = 'GET lookup, not listed, ten rules';
export const GET_LISTED_RULES = 'GET lookup, listed, ten rules';
const POST_EMPTY = 'POST, empty route';
export const POST_UNLISTED = 'POST lookup, not listed';
export const POST_LISTED = 'POST lookup, listed';
export const BATCH = `batch of ${BATCH_NUMBERS}`;
/** Added for numbers of any segment, where the verdicts of the whole store do not fit into memory. */
export const ANYWHERE = ', of any segment';

export interface MeasuredRoute {
  readonly name: string;
  readonly requests: readonly LoadRequest[];
  /** Name of the empty route with the same requests but for the path; its own for an empty route. */
  readonly against: string;
  readonly numbersARequest: number;
}

/**
 * The requests to an empty route are those to the lookup, key and number included, sent to another path: what differs
 * is what the route does.
 */
export function measuredRoutes(sample: NumberSample, random: Random, keys: ClientKeys): readonly MeasuredRoute[] {
  const { warm, anywhere, unlisted } = sample;
  const key = keys.builtIn;
  const ruled = (number: number) => getRequest(LOOKUP_PATH, number, keys.tenRules);
  const get = (path: string) => (number: number) => getRequest(path, number, key);
  const post = (path: string) => (number: number) => postRequest(path, { number: `+${number}` }, key);
  const one = (name: string, against: string, requests: readonly LoadRequest[]): MeasuredRoute => {
    return { name, against, requests, numbersARequest: 1 };
  };
  const batches = Array.from({ length: BATCHES }, () => {
    return postRequest(BATCH_PATH, { numbers: mixed(warm, unlisted, random) }, key);
  });
  const routes = [
    one(GET_EMPTY, GET_EMPTY, unlisted.map(get(EMPTY_PATH))),
    one(GET_UNLISTED, GET_EMPTY, unlisted.map(get(LOOKUP_PATH))),
    one(GET_LISTED, GET_EMPTY, warm.map(get(LOOKUP_PATH))),
    one(GET_UNLISTED_RULES, GET_EMPTY, unlisted.map(ruled)),
    one(GET_LISTED_RULES, GET_EMPTY, warm.map(ruled)),
    one(POST_EMPTY, POST_EMPTY, unlisted.map(post(EMPTY_PATH))),
    one(POST_UNLISTED, POST_EMPTY, unlisted.map(post(LOOKUP_PATH))),
    one(POST_LISTED, POST_EMPTY, warm.map(post(LOOKUP_PATH))),
    { name: BATCH, against: GET_EMPTY, requests: batches, numbersARequest: BATCH_NUMBERS },
  ];
  if (anywhere === null) return routes;
  return [...routes, one(GET_LISTED + ANYWHERE, GET_EMPTY, anywhere.map(get(LOOKUP_PATH)))];
}

export function getRequest(path: string, number: number, key: string): LoadRequest {
  return { method: 'GET', path: `${path}?number=%2B${number}`, headers: { authorization: `Bearer ${key}` } };
}

function postRequest(path: string, body: unknown, key: string): LoadRequest {
  return { method: 'POST', path, headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) };
}

function mixed(listed: readonly number[], unlisted: readonly number[], random: Random): string[] {
  return Array.from({ length: BATCH_NUMBERS }, () => {
    const from = random.below(LISTED_ONE_IN) === 0 ? listed : unlisted;
    return `+${from[random.below(from.length)]}`;
  });
}

// Whether what is measured is right: answers over HTTP against the numbers columns, read number by number.

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
  const { results } = await ask<{ readonly results: readonly LookupAnswer[] }>(url, batchRequest);
  let right = 0;
  for (const [i, number] of some.entries()) {
    const byGet = await ask<LookupAnswer>(url, getRequest(LOOKUP_PATH, number, key));
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

function ask<Answer>(url: string, { path, ...request }: LoadRequest): Promise<Answer> {
  return askJson(url + path, request);
}

/** Scores are shown with two decimals; none of a sample was seen so close to the threshold that they hide the side. */
const SHOWN_SUSPECT_SCORE = Math.round(SUSPECT_SCORE * 100) / 100;

/** What is wrong with an answer, or null. */
function wrongIn(answer: LookupAnswer, number: number, stored: Columns): string | null {
  const isListed = stored.has(number);
  const hundred = stored.neighbours(number, 100);
  const thousand = stored.neighbours(number, 1000);
  // The inventory is of 2025: some of its numbers have aged out, and are answered as if they were not listed.
  const isActive = isListed && answer.expired !== true;
  const score = answer.neighbourhood?.score ?? 0;
  // What a score makes of a number is shown by test/unit/lookup; here answers must agree with themselves.
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
