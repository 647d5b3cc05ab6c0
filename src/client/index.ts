export type * from './api-types.ts';
export type { Answer, Call, Input, OperationId } from './call.ts';
export { type BatchLookup, type Client, createClient, type TenantOptions } from './client.ts';
export type { Clock } from './clock.ts';
export { type ClientCode, type ProblemCode, RingfenceError } from './error.ts';
export type { ClientOptions } from './options.ts';
export type { CallOptions, Fetch } from './transport.ts';
export type { UploadBody, UploadOptions } from './upload.ts';
