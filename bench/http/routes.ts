/** What is measured: each route with the requests sent to it, and the empty route that it is held against. */

import type { Random } from '../support/random.ts';
import type { ClientKeys } from './clients.ts';
import type { LoadRequest } from './load.ts';
import { EMPTY_PATH } from './paths.ts';
import type { NumberSample } from './sample.ts';

export const LOOKUP_PATH = '/v1/lookup';
export const BATCH_PATH = '/v1/lookup/batch';
export const BATCH_NUMBERS = 1000;
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
export const POST_EMPTY = 'POST, empty route';
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

export function postRequest(path: string, body: unknown, key: string): LoadRequest {
  return { method: 'POST', path, headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) };
}

function mixed(listed: readonly number[], unlisted: readonly number[], random: Random): string[] {
  return Array.from({ length: BATCH_NUMBERS }, () => {
    const from = random.below(LISTED_ONE_IN) === 0 ? listed : unlisted;
    return `+${from[random.below(from.length)]}`;
  });
}
