import { PROBLEM_MEDIA_TYPE, type Problem } from './problem.ts';

/** Answers are about people and change by the minute; no cache on the way may keep one. */
const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
const JSON_HEADERS = { ...COMMON_HEADERS, 'content-type': 'application/json' } as const;

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...JSON_HEADERS, ...headers } });
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
