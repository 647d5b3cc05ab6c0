/** Calls by operation id: typed by the OpenAPI document, so that none can be named that the service does not have. */
import type { OperationTypes } from './api-types.ts';
import { OPERATIONS } from './operations.ts';
import { type CallOptions, type Connection, send } from './transport.ts';

export type OperationId = keyof OperationTypes;
/** As deep as it goes: what is sent is not changed, and an answer is nobody's to change. */
export type Fixed<T> = T extends object ? { readonly [Name in keyof T]: Fixed<T[Name]> } : T;
/** What there is of `path`, `query`, `headers` and `body`. */
export type Input<Id extends OperationId> = Fixed<Omit<OperationTypes[Id], 'answer'>>;
export type Answer<Id extends OperationId> = Fixed<OperationTypes[Id]['answer']>;

/** @throws RingfenceError */
export type Call = <Id extends OperationId>(id: Id, input: Input<Id>, options?: CallOptions) => Promise<Answer<Id>>;

/** They change nothing, though they are POST: numbers are in their bodies, not in URLs. */
const SAFE_POSTS: readonly OperationId[] = ['lookup', 'lookupBatch', 'testPolicy'];

/** Of any operation, as far as sending it is concerned. */
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
