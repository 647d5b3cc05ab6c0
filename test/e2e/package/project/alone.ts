/** What needs nothing but the package. Everything here runs under Node and in workerd alike. */
import { type Answer, createClient, type LookupAnswer, type LookupRequest, RingfenceError } from 'ringfence';
import { type Check, createCheck, withRingfence } from 'ringfence/fetch';
import { createReplica, memoryReplicaStore, ReplicaError, type ReplicaStore, r2ReplicaStore } from 'ringfence/replica';

const NUMBER = '+12025550123';
export const BLOCKED: LookupAnswer = {
  number: NUMBER,
  country: 'US',
  lineType: 'fixed_line_or_mobile',
  verdict: 'listed',
  level: 9,
  labels: ['modem_pool_card'],
  channels: ['otp_marketplace'],
  industries: [],
  firstSeen: '2025-05-17',
  lastSeen: '2025-05-29',
  sightings: 12,
  neighbourhood: { hundred: 37, thousand: 120, score: 0.93 },
  action: 'block',
  rule: 'modem-pool',
  generation: 1234,
};

/** A service that calls every number listed, and refuses all else. */
export const from = {
  url: 'https://ringfence.example',
  key: 'rf_key',
  fetch: async (url: string, init: RequestInit): Promise<Response> => {
    if (url.endsWith('/v1/lookup') && init.method === 'POST') return Response.json(BLOCKED);
    const problem = { type: 'urn:ringfence:problem:forbidden', title: 'Forbidden', status: 403, detail: 'expected …' };
    return Response.json(problem, { status: 403, headers: { 'content-type': 'application/problem+json' } });
  },
};

export function signup(): Request {
  return new Request('https://shop.example/signup', { method: 'POST', body: JSON.stringify({ phone: NUMBER }) });
}

export async function phoneOf(request: { json(): Promise<unknown> }): Promise<string> {
  return ((await request.json()) as { phone: string }).phone;
}

export async function client(): Promise<unknown> {
  const ringfence = createClient(from);
  const request: LookupRequest = { number: NUMBER, scenario: 'signup' };
  const answer: Answer<'lookup'> = await ringfence.lookup(request);
  const refused = await ringfence.status().catch((error: unknown) => error);
  return [answer.action, refused instanceof RingfenceError && refused.code];
}

export async function fetchHandler(): Promise<unknown> {
  const handler = withRingfence({ from, number: phoneOf }, () => new Response('signed up'));
  const check: Check = await createCheck({ from })({ number: NUMBER });
  return [(await handler(signup())).status, check.outcome];
}

export async function replica(): Promise<unknown> {
  const store: ReplicaStore = memoryReplicaStore();
  const refusing = async () => new Response(null, { status: 401 });
  const copy = createReplica({ url: from.url, key: from.key, store, fetch: refusing });
  const bad = await copy.lookup({ number: '12' });
  const early = await copy.lookup({ number: NUMBER });
  const sync = await copy.sync().catch((error: unknown) => error);
  return [bad.ok || bad.code, early.ok || early.status, sync instanceof ReplicaError, typeof r2ReplicaStore];
}
