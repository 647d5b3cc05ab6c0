import type { BatchRequest, Override } from './api-types.ts';
import { type Answer, type Call, createCall, type Fixed, type Input } from './call.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { RingfenceError } from './error.ts';
import { type ClientOptions, connectionOf } from './options.ts';
import type { CallOptions } from './transport.ts';
import { type UploadBody, type UploadOptions, upload } from './upload.ts';

/** At most 1,000 numbers as text. */
export type BatchLookup = Fixed<Omit<BatchRequest, 'numbers'>> & { readonly numbers: readonly string[] };

export interface TenantOptions extends CallOptions {
  /** Another tenant than that of the key, or `*` for all of them; with the scope `admin` only. */
  readonly tenant?: string | undefined;
}

/** Every method rejects with RingfenceError. */
export interface Client {
  /** What is known of a number, and the action that the policy decides. */
  lookup(request: Input<'lookup'>['body'], options?: CallOptions): Promise<Answer<'lookup'>>;
  /** The results are in the order of the numbers; a text that is no number has an `error` in its place. */
  lookupBatch(request: BatchLookup, options?: CallOptions): Promise<Answer<'lookupBatch'>>;
  readonly detections: {
    /** Once it resolves the accepted detections are stored; they are served after the next tick. */
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

/** The values that are given, and the tenant. */
function query<Name extends string>(
  values: Readonly<Record<Name, string | undefined>>,
  { tenant }: TenantOptions = {},
): Partial<Record<Name | 'tenant', string>> {
  const given = Object.entries({ ...values, tenant }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Record<Name | 'tenant', string>>;
}

/** One path answers both: the override of the number in the query, or without one all of them. */
function oneOf(answer: Answer<'getOverrides'>): Fixed<Override> {
  if ('overrides' in answer) throw new RingfenceError('unexpected-answer', 'expected one override');
  return answer;
}

function allOf(answer: Answer<'getOverrides'>): readonly Fixed<Override>[] {
  if ('overrides' in answer) return answer.overrides;
  throw new RingfenceError('unexpected-answer', 'expected a list of overrides');
}
