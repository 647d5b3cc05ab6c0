/**
 * The OpenAPI 3.1 document, made from the routes and their schemas, whose dialect (JSON Schema 2020-12) is what
 * @valibot/to-json-schema writes.
 */
import { type ConversionConfig, toJsonSchema, toJsonSchemaDefs } from '@valibot/to-json-schema';
import * as v from 'valibot';
import manifest from '../../package.json' with { type: 'json' };
import { COMPONENTS } from './components.ts';
import { answersOf, problemExamples } from './openapi-answers.ts';
import { json } from './respond.ts';
import type { MediaDoc, ParameterDoc, Route } from './route.ts';

const SECURITY_SCHEME = 'apiKey';

export type JsonObject = Readonly<Record<string, unknown>>;

/** GET /openapi.json: all of `described`, and itself. */
export function openApiRoute(described: readonly Route[]): Route {
  let document: JsonObject | null = null;
  const route: Route = {
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
      document ??= openApiDocument([...described, route]);
      return json(document);
    },
  };
  return route;
}

export function openApiDocument(routes: readonly Route[]): JsonObject {
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

function operation(route: Route): JsonObject {
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

/** Checks written in code (is it a country?) have no JSON Schema; their words are in the descriptions. */
const CONVERSION: Omit<ConversionConfig, 'definitions'> = {
  target: 'draft-2020-12',
  typeMode: 'input',
  ignoreActions: ['check', 'trim'],
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
};

/** A reference if the schema is a component. */
function schemaOf(schema: v.GenericSchema): JsonObject {
  const { $schema: _, $defs: __, ...rest } = toJsonSchema(schema, { ...CONVERSION, definitions: COMPONENTS });
  return rest;
}
