/** What a route can answer, by status: its answers, its problems, and the problems of every route. */

import { problem } from './components.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEM_TYPE_PREFIX, PROBLEMS, type ProblemCode } from './problem.ts';
import type { MediaDoc, Route } from './route.ts';

type JsonObject = Readonly<Record<string, unknown>>;

const ALWAYS: readonly ProblemCode[] = ['internal-error'];
/** Checking a key can find it missing, wrong, spent, or not be possible. */
const WITH_KEY: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'quota-exceeded', 'storage-unavailable'];

/** A parameter may be given twice. */
const WITH_QUERY: readonly ProblemCode[] = ['invalid-request'];

const HEADERS: Readonly<Record<number, JsonObject>> = {
  401: { 'WWW-Authenticate': { schema: { type: 'string' } } },
  403: { 'WWW-Authenticate': { schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
};

/** Every code that a route can answer with. */
export function problemsOf({ problems, scope, parameters = [] }: Route): readonly ProblemCode[] {
  const withQuery = parameters.some(({ in: place }) => place === 'query') ? WITH_QUERY : [];
  return [...new Set([...problems, ...withQuery, ...(scope === null ? [] : WITH_KEY), ...ALWAYS])];
}

/** The responses object of an operation, statuses ascending. */
export function answersOf(route: Route, media: (doc: MediaDoc) => JsonObject): JsonObject {
  const responses: Record<string, JsonObject> = {};
  for (const { status, description, json, texts = [] } of route.answers) {
    const content = {
      ...(json === undefined ? {} : { 'application/json': media(json) }),
      ...Object.fromEntries(texts.map((type) => [type, { schema: { type: 'string' } }])),
    };
    responses[status] = { description, ...(Object.keys(content).length === 0 ? {} : { content }) };
  }
  const byStatus = Map.groupBy(problemsOf(route), (code) => PROBLEMS[code].status);
  for (const [status, codes] of byStatus) responses[status] = problemAnswer(status, codes, media);
  return responses;
}

function problemAnswer(
  status: number,
  codes: readonly ProblemCode[],
  media: (doc: MediaDoc) => JsonObject,
): JsonObject {
  const { schema } = media({ schema: problem, example: null });
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
    ...(HEADERS[status] === undefined ? {} : { headers: HEADERS[status] }),
    content: { [PROBLEM_MEDIA_TYPE]: { schema, examples } },
  };
}

/** One example of each problem, by code. */
export function problemExamples(): JsonObject {
  return Object.fromEntries(
    Object.entries(PROBLEMS).map(([code, { status, title }]) => [
      code,
      { value: { type: PROBLEM_TYPE_PREFIX + code, title, status, detail: 'expected …' } },
    ]),
  );
}
