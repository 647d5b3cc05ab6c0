/** Stands for Ringfence. Answers by RPC; its HTTP side is for the test of that. The scenario says what it does. */
import { WorkerEntrypoint } from 'cloudflare:workers';
import type { LookupQuery, LookupResult } from '../../../../../src/sdk/middleware/types.ts';
import { LISTED } from '../answers.ts';

const FOREVER_MS = 20_000;
const forever = () => new Promise((done) => setTimeout(done, FOREVER_MS));
const answerFor = ({ number, scenario }: LookupQuery) => ({ ...LISTED, number, action: scenario });

export class Lookup extends WorkerEntrypoint {
  async lookup(query: LookupQuery): Promise<LookupResult> {
    if (query.scenario === 'never') await forever();
    if (query.scenario === 'throws') throw new Error('of the lookup');
    if (query.scenario === 'invalid') return { ok: false, status: 400, code: 'invalid-number', detail: 'expected' };
    return { ok: true, answer: answerFor(query) as typeof LISTED };
  }
}

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.headers.get('authorization') !== 'Bearer key') return new Response(null, { status: 401 });
    const query = (await request.json()) as LookupQuery;
    if (query.scenario === 'never') await forever();
    if (query.scenario === 'throws') throw new Error('of the lookup');
    // Without end: nobody must wait for the body of a refusal.
    if (query.scenario === 'invalid') return new Response(new ReadableStream(), { status: 400 });
    return Response.json(answerFor(query));
  },
};
