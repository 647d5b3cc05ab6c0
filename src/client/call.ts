/**
 * Calls by operation id, typed by the OpenAPI document: an operation that the service does not have does not compile.
 */
import type { OperationTypes } from './api-types.ts';
import { OPERATIONS } from './operations.ts';
import { type CallOptions, type Connection, send } from './transport.ts';

export type OperationId = keyof OperationTypes;
/** Read-only at every level: the client does not change what it is given, and answers are not to be changed. */
export type Fixed<T> = T extends object ? { readonly [Name in keyof T]: Fixed<T[Name]> } : T;
/** Those of `path`, `query`, `headers` and `body` that the operation has. */
export type Input<Id extends OperationId> = Fixed<Omit<OperationTypes[Id], 'answer'>>;
export type Answer<Id extends OperationId> = Fixed<OperationTypes[Id]['answer']>;

/** @throws RingfenceError */
export type Call = <Id extends OperationId>(id: Id, input: Input<Id>, options?: CallOptions) => Promise<Answer<Id>>;

/** These change nothing, though they are POST: numbers are in their bodies, not in URLs. */
const SAFE_POSTS: readonly OperationId[] = ['lookup', 'lookupBatch', 'testPolicy'];

/** What sending a request takes, for any operation. */
interface AnyInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

export function createCall(connection: Connection): Call {
  return async (id, input, options) => {
    const { body, headers, ...parts }: AnyInput = input;
    const operation = OPERATIONS[id];
    const isSafe = operation.method === 'GET' || SAFE_POSTS.includes(id);
    const answer = await send(
      connection,
      operation,
      body === undefined
        ? { ...parts, headers: { ...headers } }
        : { ...parts, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) },
      isSafe,
      options,
    );
    return answer as Answer<typeof id>;
  };
}
