/** The entry point `ringfence/replica` of the npm package. */
export type { LookupAnswer, LookupQuery, LookupResult } from '../sdk/middleware/types.ts';
export { ReplicaError, type ReplicaErrorCode } from './origin.ts';
export { createReplica, type Replica, type ReplicaOptions, type ReplicaStatus } from './replica.ts';
export { memoryReplicaStore, type ReplicaStore, r2ReplicaStore } from './store.ts';
export type { SyncReport } from './sync.ts';
