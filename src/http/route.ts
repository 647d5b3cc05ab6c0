/**
 * A route: what it does, and what is said of it in the OpenAPI document. There is one list of them (routes.ts), from
 * which requests are served and the document is made, so neither can have what the other lacks.
 */
import type { Context } from 'hono';
import type { GenericSchema } from 'valibot';
import type { Principal, Scope } from '../keys/scope.ts';
import type { ProblemCode } from './problem.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One media type of a body. */
export interface MediaDoc {
  readonly schema: GenericSchema;
  /** With reserved numbers only. */
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
  /** Media types of text that the same answer can have instead. */
  readonly texts?: readonly string[];
}

export interface RouteDoc {
  readonly method: Method;
  /** As Hono writes it: `/v1/keys/:id`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly ParameterDoc[];
  /** By media type. */
  readonly body?: Readonly<Record<string, MediaDoc>>;
  /** The usual answer first. */
  readonly answers: readonly AnswerDoc[];
  /** Beyond those that any route can have (openapi-answers.ts). */
  readonly problems: readonly ProblemCode[];
}

export type Route =
  | (RouteDoc & { readonly scope: null; handle(context: Context): Promise<Response> | Response })
  | (RouteDoc & { readonly scope: Scope; handle(context: Context, principal: Principal): Promise<Response> });
