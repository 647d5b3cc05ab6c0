export type { LookupAnswer, LookupQuery, LookupResult } from '../middleware/types.ts';
export { ReplicaError, type ReplicaErrorCode } from './errors.ts';
export { createReplica, type Replica, type ReplicaOptions, type ReplicaStatus } from './replica.ts';
export { memoryReplicaStore, type ReplicaStore, r2ReplicaStore } from './stores.ts';
export type { SyncReport } from './sync.ts';
