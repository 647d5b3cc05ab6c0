import { auditRoutes } from './audit.ts';
import { batchRoutes } from './batches.ts';
import { briefingRoutes } from './briefings.ts';
import { canaryRoutes } from './canaries.ts';
import { detectionRoutes } from './detections.ts';
import { docsRoutes } from './docs-page.ts';
import { feedRoutes } from './feed.ts';
import { keyRoutes } from './keys.ts';
import { lookupRoutes } from './lookup.ts';
import { lookupBatchRoutes } from './lookup-batch.ts';
import { overrideRoutes } from './overrides.ts';
import { policyRoutes } from './policy.ts';
import { policyTestRoutes } from './policy-test.ts';
import { rollbackRoutes } from './rollback.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';
import { sourceRoutes } from './sources.ts';
import { stateRoutes } from './state.ts';

/** Every route but GET /openapi.json, which is made from them. */
export function allRoutes(services: Services): readonly Route[] {
  return [
    ...lookupRoutes(services),
    ...lookupBatchRoutes(services),
    ...policyRoutes(services),
    ...policyTestRoutes(services),
    ...overrideRoutes(services),
    ...auditRoutes(services),
    ...briefingRoutes(services),
    ...detectionRoutes(services),
    ...batchRoutes(services),
    ...sourceRoutes(services),
    ...canaryRoutes(services),
    ...stateRoutes(services),
    ...rollbackRoutes(services),
    ...keyRoutes(services),
    ...feedRoutes(services),
    ...docsRoutes(services),
  ];
}
