/** Clients that look up and upload as fast as they are answered, each a loop of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../support/random.ts';

// What clients were told, as plain counts: shares no code with the product.

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

/** Generated numbers: the first half of the universe is uploaded, the second never is. */
export const FIRST_NUMBER = 447_400_000_000;
const UNIVERSE = 40_000;
/** Uploads among all requests, and of these the ones without an Idempotency-Key. */
const UPLOAD_SHARE = 0.12;
const UNKEYED_SHARE = 0.2;
const BATCH_SHARE = 0.1;
const UPLOAD_LINES = 40;
const BATCH_NUMBERS = 50;
const RETRY_MS = 100;
/** A request that takes longer has been forgotten by a server that was killed. */
const PATIENCE_MS = 30_000;

export interface Figures {
  lookups: number;
  uploads: number;
  /** Uploads sent again after a broken connection. */
  resent: number;
  resets: number;
  /** Answers with another status than they should have. */
  readonly errors: string[];
  /** Answers that cannot be right. */
  readonly faults: string[];
  readonly lookupMs: number[];
  readonly uploadMs: number[];
}

interface ClientDeps {
  readonly url: string;
  readonly key: string;
  readonly expected: Expected;
  readonly figures: Figures;
  readonly isOver: () => boolean;
  /** Ends every request: the run has failed, and nothing is owed to anybody. */
  readonly signal: AbortSignal;
}

/** Runs until it is over, and then until its last upload is acknowledged. */
export async function runClient(name: number, random: Random, deps: ClientDeps): Promise<void> {
  for (let turn = 0; !deps.isOver(); turn++) {
    if (random.chance(UPLOAD_SHARE)) await upload(`${name}-${turn}`, random, deps);
    else if (random.chance(BATCH_SHARE)) await lookupBatch(random, deps);
    else await lookupOne(random, deps);
  }
}

/** Digits of a number that is uploaded (or may be), or of one that never is. */
function drawNumber(random: Random, isUploaded: boolean): string {
  return `+${FIRST_NUMBER + random.below(UNIVERSE / 2) + (isUploaded ? 0 : UNIVERSE / 2)}`;
}

async function lookupOne(random: Random, deps: ClientDeps): Promise<void> {
  const number = drawNumber(random, random.chance(0.5));
  const started = performance.now();
  const answer = await ask(deps, `/v1/lookup?number=${encodeURIComponent(number)}`, {});
  if (answer === null) return;
  deps.figures.lookups += 1;
  deps.figures.lookupMs.push(performance.now() - started);
  check(number, answer.json as Answer, deps);
}

async function lookupBatch(random: Random, deps: ClientDeps): Promise<void> {
  const numbers = Array.from({ length: BATCH_NUMBERS }, () => drawNumber(random, random.chance(0.5)));
  const body = JSON.stringify({ numbers });
  const answer = await ask(deps, '/v1/lookup/batch', { method: 'POST', body });
  if (answer === null) return;
  const { results } = answer.json as { readonly results: readonly Answer[] };
  deps.figures.lookups += results.length;
  for (const [i, number] of numbers.entries()) {
    const result = results[i];
    if (result === undefined) deps.figures.faults.push('a batch has fewer results than numbers');
    else check(number, result, deps);
  }
}

function check(number: string, answer: Answer, { expected, figures }: ClientDeps): void {
  const fault = expected.faultNow(number, answer);
  if (fault !== null) figures.faults.push(fault);
}

/** With a key: sent again until it is acknowledged. Without: once, since nobody could tell a second one apart. */
async function upload(id: string, random: Random, deps: ClientDeps): Promise<void> {
  const numbers = Array.from({ length: 1 + random.below(UPLOAD_LINES) }, () => drawNumber(random, true));
  const body = numbers.map((number) => `${JSON.stringify({ number, channel: 'other' })}\n`).join('');
  const isKeyed = !random.chance(UNKEYED_SHARE);
  const headers = { 'content-type': 'application/x-ndjson', ...(isKeyed ? { 'idempotency-key': id } : {}) };
  deps.expected.send(numbers);
  for (;;) {
    const started = performance.now();
    const answer = await ask(deps, '/v1/detections', { method: 'POST', body, headers });
    if (answer === null && (!isKeyed || deps.signal.aborted)) return deps.expected.lose(numbers);
    if (answer === null) {
      deps.figures.resent += 1;
      continue;
    }
    const { accepted } = answer.json as { readonly accepted: number };
    if (accepted !== numbers.length) deps.figures.errors.push(`accepted ${accepted} of ${numbers.length}`);
    deps.figures.uploads += 1;
    deps.figures.uploadMs.push(performance.now() - started);
    return deps.expected.acknowledge(numbers);
  }
}

/** null: the connection broke, or was refused. Any answer that is no success is an error of the run. */
async function ask(
  { url, key, figures, signal }: ClientDeps,
  path: string,
  init: RequestInit,
): Promise<{ readonly json: unknown } | null> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers };
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const response = await fetch(url + path, { ...init, headers, signal: patience });
    const text = await response.text();
    if (response.ok) return { json: JSON.parse(text) as unknown };
    figures.errors.push(`${path.split('?')[0]} answers ${response.status}: ${text.slice(0, 200)}`);
  } catch (error) {
    figures.resets += 1;
    if (error instanceof DOMException && error.name === 'TimeoutError')
      figures.errors.push(`no answer within ${PATIENCE_MS / 1000} s`);
  }
  await sleep(RETRY_MS);
  return null;
}
