/**
 * The OpenAPI 3.1 document. It is made from the routes and their schemas, in JSON Schema 2020-12, which is what
 * @valibot/to-json-schema writes.
 */

import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import * as v from 'valibot';
import manifest from '../../package.json' with { type: 'json' };
import { briefingSchema } from '../briefing/briefing.ts';
import { feedManifest } from '../replica/feed-manifest.ts';
import { auditAnswer } from './audit.ts';
import { canariesAnswer, canaryAnswer, canaryRequest } from './canaries.ts';
import { detectionLine, receiptAnswer } from './detections.ts';
import { healthAnswer } from './edge-docs.ts';
import { keySummary, keysAnswer, newKeyAnswer, newKeyRequest } from './keys.ts';
import { batchAnswer, batchError, batchRequest, evidenceAnswer, lookupAnswer, lookupRequest } from './lookup-docs.ts';
import { overrideAnswer, overrideRequest, overridesAnswer } from './overrides.ts';
import { policyAnswer, policyRequest, policyTestAnswer, policyTestRequest } from './policy.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEM_TYPE_PREFIX, PROBLEMS, type ProblemCode } from './problem.ts';
import { rollbackAnswer, rollbackRequest } from './rollback.ts';
import { json, type MediaDoc, type ParameterDoc, type Route, type RouteDoc } from './route.ts';
import { decisionAnswer, sourceAnswer, sourceRequest, sourcesAnswer } from './sources.ts';
import { statusAnswer } from './state.ts';

const SECURITY_SCHEME = 'apiKey';

type JsonObject = Readonly<Record<string, unknown>>;

/** GET /openapi.json. @param described all routes, this one among them */
export function openApiRoute(described: () => readonly RouteDoc[]): Route {
  let document: JsonObject | null = null;
  return {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'openapi',
    tag: 'State',
    summary: 'This document',
    scope: null,
    answers: [
      {
        status: 200,
        description: 'OpenAPI 3.1',
        json: { schema: v.looseObject({ openapi: v.string() }), example: { openapi: '3.1.0' } },
      },
    ],
    problems: [],
    handle: () => {
      document ??= openApiDocument(described());
      return json(document);
    },
  };
}

export function openApiDocument(routes: readonly RouteDoc[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/g, '{$1}');
    const operations = paths[path] ?? {};
    operations[route.method.toLowerCase()] = operation(route);
    paths[path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Ringfence',
      version: manifest.version,
      description: 'Whether a phone number belongs to OTP marketplaces, modem pools and "link code" receivers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: toJsonSchemaDefs(COMPONENTS, CONVERSION),
      examples: problemExamples(),
      securitySchemes: {
        [SECURITY_SCHEME]: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key. Each operation names the scope it needs; `admin` includes all.',
        },
      },
    },
  };
}

function operation(route: RouteDoc): JsonObject {
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: route.scope === null ? [] : [{ [SECURITY_SCHEME]: [route.scope] }],
    ...(route.parameters === undefined ? {} : { parameters: route.parameters.map(parameter) }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: mapMedia(route.body) } }),
    responses: answersOf(route, media),
  };
}

function parameter({ schema, required = false, ...rest }: ParameterDoc): JsonObject {
  return { ...rest, required, schema: schemaOf(schema) };
}

function mapMedia(body: Readonly<Record<string, MediaDoc>>): JsonObject {
  return Object.fromEntries(Object.entries(body).map(([type, doc]) => [type, media(doc)]));
}

function media({ schema, example }: MediaDoc): JsonObject {
  return { schema: schemaOf(schema), example };
}

/** Checks that are written in code (is it a country?) have no JSON Schema; descriptions say them in words. */
const CONVERSION: Omit<ConversionConfig, 'definitions'> = {
  target: 'draft-2020-12',
  typeMode: 'input',
  ignoreActions: ['check', 'trim'],
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
};

/** A reference, if the schema is one of the components. */
function schemaOf(schema: v.GenericSchema): JsonObject {
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema, { ...CONVERSION, definitions: COMPONENTS });
  return rest;
}

const ALWAYS: readonly ProblemCode[] = ['internal-error'];
/** A key can be missing, invalid, over its quota, or impossible to check. */
const WITH_KEY: readonly ProblemCode[] = ['unauthorized', 'forbidden', 'quota-exceeded', 'storage-unavailable'];

/** Any parameter may be given twice. */
const WITH_QUERY: readonly ProblemCode[] = ['invalid-request'];

const HEADERS: Readonly<Record<number, JsonObject>> = {
  401: { 'WWW-Authenticate': { schema: { type: 'string' } } },
  403: { 'WWW-Authenticate': { schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
};

/** Every problem code that a route can answer with: its own, and those of all routes like it. */
export function problemsOf({ problems, scope, parameters = [] }: RouteDoc): readonly ProblemCode[] {
  const withQuery = parameters.some(({ in: place }) => place === 'query') ? WITH_QUERY : [];
  return [...new Set([...problems, ...withQuery, ...(scope === null ? [] : WITH_KEY), ...ALWAYS])];
}

/** The responses object of an operation, by ascending status. */
function answersOf(route: RouteDoc, media: (doc: MediaDoc) => JsonObject): JsonObject {
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
function problemExamples(): JsonObject {
  return Object.fromEntries(
    Object.entries(PROBLEMS).map(([code, { status, title }]) => [
      code,
      { value: { type: PROBLEM_TYPE_PREFIX + code, title, status, detail: 'expected …' } },
    ]),
  );
}

// The schemas that the OpenAPI document names as components.

export const problem = v.pipe(
  v.looseObject({
    type: v.picklist(Object.keys(PROBLEMS).map((code) => PROBLEM_TYPE_PREFIX + code)),
    title: v.string(),
    status: v.pipe(v.number(), v.integer()),
    detail: v.string(),
    field: v.pipe(v.exactOptional(v.string()), v.description('The field of the request that is at fault')),
    verdict: v.pipe(
      v.exactOptional(v.literal('unknown')),
      v.description('Present if storage could not answer a lookup'),
    ),
    id: v.pipe(
      v.exactOptional(v.string()),
      v.description('The id of an internal error, by which it is found in the logs'),
    ),
    rule: v.pipe(v.exactOptional(v.string()), v.description('The rule of a policy that cannot be used')),
    position: v.pipe(
      v.exactOptional(v.nullable(v.object({ offset: v.number(), line: v.number(), column: v.number() }))),
      v.description("In the rule's expression; line and column count from 1"),
    ),
    retained: v.pipe(v.exactOptional(v.array(v.number())), v.description('Generations that a rollback can return to')),
  }),
  v.description('RFC 9457 problem details; `type` ends in the code'),
);

const COMPONENTS = {
  LookupRequest: lookupRequest,
  LookupAnswer: lookupAnswer,
  Evidence: evidenceAnswer,
  BatchRequest: batchRequest,
  BatchAnswer: batchAnswer,
  BatchError: batchError,
  PolicyRequest: policyRequest,
  Policy: policyAnswer,
  PolicyTestRequest: policyTestRequest,
  PolicyTest: policyTestAnswer,
  OverrideRequest: overrideRequest,
  Override: overrideAnswer,
  Overrides: overridesAnswer,
  Audit: auditAnswer,
  FeedManifest: feedManifest,
  Briefing: briefingSchema,
  Detection: detectionLine,
  Receipt: receiptAnswer,
  Sources: sourcesAnswer,
  Source: sourceAnswer,
  SourceRequest: sourceRequest,
  SourceDecision: decisionAnswer,
  CanaryRequest: canaryRequest,
  Canary: canaryAnswer,
  Canaries: canariesAnswer,
  Health: healthAnswer,
  Status: statusAnswer,
  RollbackRequest: rollbackRequest,
  RollbackAnswer: rollbackAnswer,
  NewKeyRequest: newKeyRequest,
  NewKeyAnswer: newKeyAnswer,
  Key: keySummary,
  Keys: keysAnswer,
  Problem: problem,
};
