import * as v from 'valibot';
import type { Briefing } from '../../src/briefing/briefing.ts';
import { briefingSchema } from '../../src/briefing/schema.ts';
import { keyAdvice } from '../command/errors.ts';
import { BriefingError } from './briefing-error.ts';
import { type BriefingRequest, FORMATS } from './options.ts';

/** Computing a long period of a large inventory takes tens of seconds. */
const TIMEOUT_MS = 120_000;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** @throws BriefingError if the server has none to give */
export async function fetchBriefing(
  request: BriefingRequest,
  send: Fetch,
): Promise<{ readonly text: string; readonly briefing: Briefing }> {
  // As text first: it is computed then if it has to be, and the figures are those of the same one, which is kept.
  const text = await fetchAs(request, FORMATS[request.format], send);
  const figures = request.format === 'json' ? text : await fetchAs(request, FORMATS.json, send);
  return { text, briefing: parseBriefing(figures) };
}

async function fetchAs({ url, key, from, to }: BriefingRequest, accept: string, send: Fetch): Promise<string> {
  const address = `${url.replace(/\/+$/, '')}/v1/briefings/${from}/${to}`;
  const headers = { authorization: `Bearer ${key}`, accept };
  const response = await send(address, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : 'failed';
    throw new BriefingError(`no answer from ${url}: ${cause}. Is the server running? npm start`);
  });
  const text = await response.text().catch(() => '');
  if (!response.ok) {
    const advice = keyAdvice(response.status, 'lookup');
    throw new BriefingError(`the server answers ${response.status}${advice === null ? detailOf(text) : `. ${advice}`}`);
  }
  const type = response.headers.get('content-type') ?? 'nothing';
  if (!type.startsWith(accept)) throw new BriefingError(`expected ${accept} from ${url}, found ${type}`);
  return text;
}

/** Of a problem document, if it is one. */
function detailOf(text: string): string {
  const problem = v.safeParse(v.object({ detail: v.string() }), parseJson(text));
  return problem.success ? `: ${problem.output.detail}` : '';
}

function parseBriefing(text: string): Briefing {
  const parsed = v.safeParse(briefingSchema, parseJson(text));
  if (parsed.success) return parsed.output;
  throw new BriefingError('the answer is no briefing that this version knows');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
