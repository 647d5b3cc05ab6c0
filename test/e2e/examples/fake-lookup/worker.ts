import { WorkerEntrypoint } from 'cloudflare:workers';
import { GOOD, nameOf, PAGE, SLOW_MS, WRONG_SHAPE } from './answers.ts';
import { RPC_NAMES } from './rpc-failures.ts';

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const refused = (status: number, code: string) => ({ ok: false, status, code, detail: 'on purpose' });

const ANSWERS: Readonly<Record<string, () => unknown>> = {
  allow: () => ({ ok: true, answer: GOOD.allow }),
  block: () => ({ ok: true, answer: GOOD.block }),
  slow: () => later(SLOW_MS).then(() => ({ ok: true, answer: GOOD.allow })),
  never: () => later(10 * SLOW_MS),
  throws: () => {
    throw new Error('on purpose');
  },
  text: () => PAGE,
  nothing: () => null,
  'wrong shape': () => ({ ok: true, answer: WRONG_SHAPE }),
  'no shape at all': () => ({ ok: 'yes', action: 'allow' }),
  'of another number': () => ({ ok: true, answer: GOOD.allow }),
  'quota used up': () => refused(429, 'quota-exceeded'),
  'storage down': () => refused(503, 'storage-unavailable'),
  'cannot say': () => ({ ok: true, answer: { ...GOOD.allow, verdict: 'unknown', action: null } }),
};

/** In place of the entry point of src/edge.ts. */
export class Lookup extends WorkerEntrypoint {
  lookup({ number }: { readonly number: string }): unknown {
    return ANSWERS[nameOf(RPC_NAMES, number) ?? '']?.();
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler;
