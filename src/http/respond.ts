import { PROBLEM_MEDIA_TYPE, type Problem } from './problem.ts';

/** Answers are about people and change by the minute; no cache on the way may keep one. */
const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
const JSON_HEADERS = { ...COMMON_HEADERS, 'content-type': 'application/json' } as const;
/** The usual answer without its body. Headers are copied from it faster than they are checked one by one again. */
const JSON_OK = new Response(null, { headers: JSON_HEADERS });

export function json(body: unknown, status = 200, headers?: Readonly<Record<string, string>>): Response {
  const text = JSON.stringify(body);
  if (status === 200 && headers === undefined) return jsonText(text);
  return new Response(text, { status, headers: { ...JSON_HEADERS, ...headers } });
}

/** 200 with what is JSON already. */
export function jsonText(text: string): Response {
  return new Response(text, JSON_OK);
}

export function noContent(): Response {
  return new Response(null, { status: 204, headers: COMMON_HEADERS });
}

export function problemResponse(problem: Problem): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...COMMON_HEADERS, 'content-type': PROBLEM_MEDIA_TYPE, ...problem.headers },
  });
}
