/** The client: methods for the operations of the service, typed by its OpenAPI document. */
import type { BatchRequest, Detection, OperationTypes, Override } from '../../generated/api-types.ts';
import { OPERATIONS } from '../../generated/operations.ts';
import { RingfenceError } from './error.ts';
import {
  type CallOptions,
  type ClientOptions,
  type Clock,
  type Connection,
  checkHeaderText,
  connectionOf,
  type Parts,
  SYSTEM_CLOCK,
  send,
} from './transport.ts';

/** At most 1,000 numbers as text. */
export type BatchLookup = Fixed<Omit<BatchRequest, 'numbers'>> & { readonly numbers: readonly string[] };

export interface TenantOptions extends CallOptions {
  /** Another tenant than that of the key, or `*` for all of them. Only a key with the scope `admin` may name one. */
  readonly tenant?: string | undefined;
}

/** Every method rejects with RingfenceError. */
export interface Client {
  /** What is known of a number, and the action that the policy decides on. */
  lookup(request: Input<'lookup'>['body'], options?: CallOptions): Promise<Answer<'lookup'>>;
  /** The results are in the order of the numbers; a text that is not a number has an `error` in its place. */
  lookupBatch(request: BatchLookup, options?: CallOptions): Promise<Answer<'lookupBatch'>>;
  readonly detections: {
    /** Once it resolves, the accepted detections are stored; they are served after the next tick. */
    upload(detections: UploadBody, options?: UploadOptions): Promise<Answer<'uploadDetections'>>;
  };
  /** Needs no key. `ok: false` is an answer, not an error. */
  health(options?: CallOptions): Promise<Answer<'health'>>;
  status(options?: CallOptions): Promise<Answer<'status'>>;
  /** The figures of a period: dates as YYYY-MM-DD, both included. */
  briefing(from: string, to: string, options?: CallOptions): Promise<Answer<'briefing'>>;
  /** Returns to one of the generations of `status().retained`. */
  rollback(request: Input<'rollback'>['body'], options?: CallOptions): Promise<Answer<'rollback'>>;
  readonly policy: {
    /** The policy with this `version` of `earlier`, or the one in force. */
    get(options?: TenantOptions & { readonly version?: number | undefined }): Promise<Answer<'getPolicy'>>;
    /** Refused as `invalid-policy` if a rule does not compile. */
    put(policy: Input<'putPolicy'>['body'], options?: TenantOptions): Promise<Answer<'putPolicy'>>;
    /** A dry run of a policy, compared with the one in force; nothing is stored. */
    test(request: Input<'testPolicy'>['body'], options?: TenantOptions): Promise<Answer<'testPolicy'>>;
  };
  readonly overrides: {
    put(override: Input<'putOverride'>['body'], options?: TenantOptions): Promise<Answer<'putOverride'>>;
    /**
     * `not-found` if the tenant has none for the number. It goes into the query, which the service keeps out of logs.
     */
    get(number: string, options?: TenantOptions): Promise<Fixed<Override>>;
    list(options?: TenantOptions): Promise<readonly Fixed<Override>[]>;
    delete(number: string, options?: TenantOptions): Promise<Answer<'deleteOverride'>>;
  };
  readonly audit: {
    /** Newest first. For the next page, pass `older` of the answer as `before`. */
    list(options?: TenantOptions & { readonly before?: string | undefined }): Promise<Answer<'listAudit'>>;
  };
  readonly keys: {
    /** The answer has the key, which is not shown again. */
    create(request: Input<'createKey'>['body'], options?: CallOptions): Promise<Answer<'createKey'>>;
    list(options?: CallOptions): Promise<Answer<'listKeys'>>;
    delete(id: string, options?: CallOptions): Promise<Answer<'deleteKey'>>;
  };
  /** Any operation of the OpenAPI document, by its operationId. */
  readonly call: Call;
}

/**
 * A client for one deployment. It keeps no connection and no state: make it where it is used, or once.
 *
 * @example
 * const ringfence = createClient({ url: 'https://ringfence.example.workers.dev', key: process.env.RINGFENCE_KEY });
 * const { verdict, action } = await ringfence.lookup({ number: '+1 202-555-0123', scenario: 'signup' });
 *
 * @param clock for tests
 * @throws TypeError if an option is not what it should be
 */
export function createClient(options: ClientOptions, clock: Clock = SYSTEM_CLOCK): Client {
  const connection = connectionOf(options, clock);
  const call = createCall(connection);
  return {
    lookup: (body, options) => call('lookup', { body }, options),
    lookupBatch: (body, options) => call('lookupBatch', { body }, options),
    detections: { upload: (detections, options) => upload(connection, detections, options) },
    health: (options) => call('health', {}, options),
    status: (options) => call('status', {}, options),
    briefing: (from, to, options) => call('briefing', { path: { from, to } }, options),
    rollback: (body, options) => call('rollback', { body }, options),
    policy: {
      get: ({ version, ...options } = {}) =>
        call('getPolicy', { query: query({ version: version?.toString() }, options) }, options),
      put: (body, options) => call('putPolicy', { body, query: query({}, options) }, options),
      test: (body, options) => call('testPolicy', { body, query: query({}, options) }, options),
    },
    overrides: {
      put: (body, options) => call('putOverride', { body, query: query({}, options) }, options),
      get: async (number, options) => oneOf(await call('getOverrides', { query: query({ number }, options) }, options)),
      list: async (options) => allOf(await call('getOverrides', { query: query({}, options) }, options)),
      delete: (number, options) => call('deleteOverride', { query: { number, ...query({}, options) } }, options),
    },
    audit: {
      list: ({ before, ...options } = {}) => call('listAudit', { query: query({ before }, options) }, options),
    },
    keys: {
      create: (body, options) => call('createKey', { body }, options),
      list: (options) => call('listKeys', {}, options),
      delete: (id, options) => call('deleteKey', { path: { id } }, options),
    },
    call,
  };
}

/** The parameters that are given, and the tenant. */
function query<Name extends string>(
  values: Readonly<Record<Name, string | undefined>>,
  { tenant }: TenantOptions = {},
): Partial<Record<Name | 'tenant', string>> {
  const given = Object.entries({ ...values, tenant }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Record<Name | 'tenant', string>>;
}

/** The one override in an answer: the same path answers with a list if no number is in the query. */
function oneOf(answer: Answer<'getOverrides'>): Fixed<Override> {
  if ('overrides' in answer) throw new RingfenceError('unexpected-answer', 'expected one override');
  return answer;
}

function allOf(answer: Answer<'getOverrides'>): readonly Fixed<Override>[] {
  if ('overrides' in answer) return answer.overrides;
  throw new RingfenceError('unexpected-answer', 'expected a list of overrides');
}

// Calls by operation id are typed by the OpenAPI document: an operation that the service does not have does not
// compile.

export type OperationId = keyof OperationTypes;
/** Read-only at every level: the client does not change what it is given, and answers are not meant to be changed. */
export type Fixed<T> = T extends object ? { readonly [Name in keyof T]: Fixed<T[Name]> } : T;
/** The parts `path`, `query`, `headers` and `body`, as far as the operation has them. */
export type Input<Id extends OperationId> = Fixed<Omit<OperationTypes[Id], 'answer'>>;
export type Answer<Id extends OperationId> = Fixed<OperationTypes[Id]['answer']>;

/** @throws RingfenceError */
export type Call = <Id extends OperationId>(id: Id, input: Input<Id>, options?: CallOptions) => Promise<Answer<Id>>;

/** These change nothing although they are POST: they have numbers in their bodies, to keep them out of URLs. */
const SAFE_POSTS: readonly OperationId[] = ['lookup', 'lookupBatch', 'testPolicy'];

/** What a request of any operation may need. */
interface AnyInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
}

function createCall(connection: Connection): Call {
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

// An upload is the only call whose body need not be JSON, and only its Idempotency-Key makes it safe to repeat.

export interface UploadOptions extends CallOptions {
  /** Makes retries safe: the same key and body are counted once and answered with the same receipt. */
  readonly idempotencyKey?: string | undefined;
  /** The type of a body that is no list: `application/x-ndjson` (the default), `application/json` or `text/csv`. */
  readonly contentType?: string | undefined;
  /** `gzip` if the body is compressed. */
  readonly contentEncoding?: 'gzip' | undefined;
}

/**
 * A list that is not empty; or bytes or text, which are sent as they are. A stream can be sent only once, so an upload
 * of one is not retried.
 */
export type UploadBody = readonly Fixed<Detection>[] | NonNullable<Parts['body']>;

const NDJSON = 'application/x-ndjson';
/** 32 MiB take this long at 2 Mbit/s. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** @throws RingfenceError */
async function upload(
  connection: Connection,
  detections: UploadBody,
  options: UploadOptions = {},
): Promise<Answer<'uploadDetections'>> {
  const { idempotencyKey, contentType = NDJSON, contentEncoding, ...call } = options;
  if (idempotencyKey !== undefined) checkHeaderText('idempotencyKey', idempotencyKey);
  const isList = isDetections(detections);
  const body = isList ? ndjson(detections) : detections;
  const headers = {
    'content-type': isList ? NDJSON : contentType,
    'content-encoding': contentEncoding,
    'idempotency-key': idempotencyKey,
  };
  const isSafe = idempotencyKey !== undefined && !(body instanceof ReadableStream);
  const answer = await send(connection, OPERATIONS.uploadDetections, { headers, body }, isSafe, {
    ...call,
    timeoutMs: call.timeoutMs ?? Math.max(connection.timeoutMs, UPLOAD_TIMEOUT_MS),
  });
  return answer as Answer<'uploadDetections'>;
}

function isDetections(body: UploadBody): body is readonly Fixed<Detection>[] {
  return Array.isArray(body);
}

/** Writes one line for each detection, so that the line of a rejected one is its place in the list, counted from 1. */
function ndjson(detections: readonly Fixed<Detection>[]): string {
  return detections.map((detection) => `${JSON.stringify(detection)}\n`).join('');
}
