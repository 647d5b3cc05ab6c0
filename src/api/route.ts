/**
 * A route: what it takes to serve it, and its description for the OpenAPI document. Requests are served and the
 * document is made from the same list of routes, so neither can have what the other lacks.
 */

import type { Context } from 'hono';
import type { GenericSchema } from 'valibot';
import type { Principal, Scope } from '../keys/key.ts';
import { COMMON_HEADERS, type ProblemCode } from './problem.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One media type of a body. */
export interface MediaDoc {
  readonly schema: GenericSchema;
  /** An example with reserved numbers only. */
  readonly example: unknown;
}

export interface ParameterDoc {
  readonly in: 'header' | 'path' | 'query';
  readonly name: string;
  readonly description: string;
  readonly schema: GenericSchema;
  readonly required?: boolean;
  readonly example?: string;
}

export interface AnswerDoc {
  readonly status: number;
  readonly description: string;
  readonly json?: MediaDoc;
  /** Text media types in which the same answer can be had instead. */
  readonly texts?: readonly string[];
}

interface Matched {
  readonly method: Method;
  /** As Hono writes it: `/v1/keys/:id`. */
  readonly path: string;
  readonly operationId: string;
}

/** @typeParam Services what the handler is given */
export type Endpoint<Services, Parameter = Pick<ParameterDoc, 'in' | 'name'>> = Matched & {
  readonly parameters?: readonly Parameter[];
} & (
    | { readonly scope: null; handle(context: Context, services: Services): Promise<Response> | Response }
    | { readonly scope: Scope; handle(context: Context, principal: Principal, services: Services): Promise<Response> }
  );

/** What the document says of a route beside how it is matched. */
export interface OperationDoc {
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly ParameterDoc[];
  /** By media type. */
  readonly body?: Readonly<Record<string, MediaDoc>>;
  /** The usual answer comes first. */
  readonly answers: readonly AnswerDoc[];
  /** Problems beyond those that every route of its kind can have (problemsOf in openapi.ts). */
  readonly problems: readonly ProblemCode[];
}

export type RouteDoc = Matched & OperationDoc & { readonly scope: Scope | null };

/** A route with its description beside it. The edge's have theirs elsewhere (edge-docs.ts). */
export type Route = OperationDoc & Endpoint<unknown, ParameterDoc>;

const JSON_HEADERS = { ...COMMON_HEADERS, 'content-type': 'application/json' } as const;
/** The usual answer without its body. Copying its headers is faster than checking them one by one for each answer. */
const JSON_OK = new Response(null, { headers: JSON_HEADERS });

/** @param body what JSON.stringify takes */
export function json(body: unknown, status = 200, headers?: Readonly<Record<string, string>>): Response {
  const text = JSON.stringify(body);
  if (status === 200 && headers === undefined) return jsonText(text);
  return new Response(text, { status, headers: { ...JSON_HEADERS, ...headers } });
}

/** 200 with text that is JSON already. */
export function jsonText(text: string): Response {
  return new Response(text, JSON_OK);
}

export function noContent(): Response {
  return new Response(null, { status: 204, headers: COMMON_HEADERS });
}
