/** Two tenants with something to lose, policies at each of their bounds, and a clock to hold against what they take. */
import type { LookupAnswer } from '../../../src/policy/answer.ts';
import { type Answer, Harness } from './harness.ts';

export const NUMBER = '+12025550123';
export const QUERY = 'number=%2B12025550123';
export const OVERRIDE = { number: NUMBER, list: 'block', reason: 'a test' };

/** The tenants `shop` and `bank`, with a key each for lookups and for their own policy and overrides. */
export class Scene {
  readonly harness: Harness;
  readonly shop: string;
  readonly bank: string;

  private constructor(harness: Harness, shop: string, bank: string) {
    this.harness = harness;
    this.shop = shop;
    this.bank = bank;
  }

  static async open(): Promise<Scene> {
    const harness = new Harness();
    const key = (tenant: string) => harness.keyWith(['lookup', 'policy'], { tenant });
    return new Scene(harness, await key('shop'), await key('bank'));
  }

  put(key: string, more: object = {}, query = ''): Promise<Answer> {
    return this.harness.call('PUT', `/v1/overrides${query}`, { key, json: { ...OVERRIDE, ...more } });
  }

  async list(key: string, query = ''): Promise<readonly { number: string; reason: string }[]> {
    const { json } = await this.harness.call('GET', `/v1/overrides${query}`, { key });
    return (json as { overrides: { number: string; reason: string }[] }).overrides;
  }

  async lookup(key: string, json: object = { number: NUMBER }): Promise<LookupAnswer> {
    return (await this.harness.call('POST', '/v1/lookup', { key, json })).json as LookupAnswer;
  }
}

/** A hundred times what any takes on a machine with nothing else to do: only what grows out of bounds is found. */
export const LIMIT_MS = 2000;

interface Rules {
  readonly when: string;
  readonly count: number;
}

const once = (when: string): Rules => ({ when, count: 1 });
/** Spaces say nothing: they fill an expression up. */
const ofLength = (chars: number) => once(`true${' '.repeat(chars - 4)}`);
const listOf = (elements: number) => once(`level in [${Array.from({ length: elements }, () => '1').join(',')}]`);
const terms = (count: number) => once(Array.from({ length: count }, () => 'true').join('||'));
const brackets = (depth: number) => once(`${'('.repeat(depth)}true${')'.repeat(depth)}`);
const steps = (comparisons: number) =>
  once(`labels.exists(a, ${Array.from({ length: comparisons }, (_, i) => `a == "${i}"`).join('||')})`);

/** What is bounded, the most there can be of it, and a little more. */
export const BOUNDS: readonly (readonly [what: string, within: Rules, beyond: Rules])[] = [
  ['100 rules', { when: 'level > 1', count: 100 }, { when: 'level > 1', count: 101 }],
  ['2,000 characters', ofLength(2000), ofLength(2001)],
  ['500 elements of a list', listOf(500), listOf(501)],
  ['100 levels of operators', terms(100), terms(101)],
  ['99 levels of brackets', brackets(99), brackets(101)],
  ['4,000 steps', steps(62), steps(63)],
];

/** What it resolves to, and the milliseconds that took. */
export async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}
