/** The entry point `ringfence` of the npm package: the client. */
export type * from '../../generated/api-types.ts';
export type { Answer, Call, Input, OperationId, UploadBody, UploadOptions } from './client.ts';
export { type BatchLookup, type Client, createClient, type TenantOptions } from './client.ts';
export { type ClientCode, type ProblemCode, RingfenceError } from './error.ts';
export type { CallOptions, ClientOptions, Clock, Fetch } from './transport.ts';
