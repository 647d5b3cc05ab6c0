/** Written by `npm run generate` from the OpenAPI document; changes made here are lost. */
import type { OperationTypes } from './api-types.ts';

export interface Operation {
  readonly method: string;
  /** Parts in braces are filled in: `/v1/keys/{id}`. */
  readonly path: string;
  /** Statuses whose body is the answer; any other is a problem. */
  readonly answers: readonly number[];
}

export const OPERATIONS: Readonly<Record<keyof OperationTypes, Operation>> = {
  lookup: { method: 'POST', path: '/v1/lookup', answers: [200] },
  lookupByQuery: { method: 'GET', path: '/v1/lookup', answers: [200] },
  lookupBatch: { method: 'POST', path: '/v1/lookup/batch', answers: [200] },
  getPolicy: { method: 'GET', path: '/v1/policy', answers: [200] },
  putPolicy: { method: 'PUT', path: '/v1/policy', answers: [200] },
  testPolicy: { method: 'POST', path: '/v1/policy/test', answers: [200] },
  putOverride: { method: 'PUT', path: '/v1/overrides', answers: [200] },
  getOverrides: { method: 'GET', path: '/v1/overrides', answers: [200] },
  deleteOverride: { method: 'DELETE', path: '/v1/overrides', answers: [204] },
  resetOverrides: { method: 'DELETE', path: '/v1/overrides/lost', answers: [204] },
  listAudit: { method: 'GET', path: '/v1/audit', answers: [200] },
  briefing: { method: 'GET', path: '/v1/briefings/{from}/{to}', answers: [200] },
  uploadDetections: { method: 'POST', path: '/v1/detections', answers: [202] },
  listBatches: { method: 'GET', path: '/v1/batches', answers: [200] },
  withdrawBatch: { method: 'POST', path: '/v1/batches/{id}/withdraw', answers: [200] },
  releaseBatch: { method: 'POST', path: '/v1/batches/{id}/release', answers: [200] },
  listSources: { method: 'GET', path: '/v1/sources', answers: [200] },
  releaseSource: { method: 'POST', path: '/v1/sources/release', answers: [200] },
  dropSource: { method: 'POST', path: '/v1/sources/drop', answers: [200] },
  putCanary: { method: 'PUT', path: '/v1/canaries', answers: [200] },
  listCanaries: { method: 'GET', path: '/v1/canaries', answers: [200] },
  deleteCanary: { method: 'DELETE', path: '/v1/canaries', answers: [204] },
  index: { method: 'GET', path: '/', answers: [200] },
  health: { method: 'GET', path: '/healthz', answers: [200, 503] },
  status: { method: 'GET', path: '/v1/status', answers: [200] },
  rollback: { method: 'POST', path: '/v1/rollback', answers: [200] },
  createKey: { method: 'POST', path: '/v1/keys', answers: [201] },
  listKeys: { method: 'GET', path: '/v1/keys', answers: [200] },
  deleteKey: { method: 'DELETE', path: '/v1/keys/{id}', answers: [204] },
  openapi: { method: 'GET', path: '/openapi.json', answers: [200] },
  feedManifest: { method: 'GET', path: '/v1/feed/manifest', answers: [200] },
};
