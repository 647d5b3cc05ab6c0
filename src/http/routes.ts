import type { ControlServices } from '../api/control-services.ts';
import { edgeRoutes } from '../api/edge-routes.ts';
import { auditRoutes } from './audit.ts';
import { batchRoutes } from './batches.ts';
import { briefingRoutes } from './briefings.ts';
import { canaryRoutes } from './canaries.ts';
import { detectionRoutes } from './detections.ts';
import { keyRoutes } from './keys.ts';
import { openApiRoute } from './openapi.ts';
import { overrideRoutes } from './overrides.ts';
import { policyRoutes } from './policy.ts';
import { policyTestRoutes } from './policy-test.ts';
import { rollbackRoutes } from './rollback.ts';
import type { Route, RouteDoc } from './route.ts';
import type { EdgeServices } from './services.ts';
import { sourceRoutes } from './sources.ts';
import { stateRoutes } from './state.ts';

/** The edge's routes as they are described and matched elsewhere: nothing calls their handlers, so these ask nobody. */
const NOT_SERVED = {} as EdgeServices;

/** The routes of the control Worker, GET /openapi.json among them: it describes those of both. */
export function controlRoutes(services: ControlServices): readonly Route[] {
  const own = [
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
  ];
  return [...own, openApiRoute(describedTogether(own))];
}

/** Every route there is at the one address of both Workers, in the order of the document. */
export function allRoutes(services: ControlServices): readonly Route[] {
  return describedTogether(controlRoutes(services));
}

/** A reader of the document meets lookups first. */
function describedTogether(control: readonly Route[]): readonly Route[] {
  const edge = edgeRoutes(NOT_SERVED);
  const isLookup = ({ tag }: RouteDoc) => tag === 'Lookup';
  return [...edge.filter(isLookup), ...control, ...edge.filter((route) => !isLookup(route))];
}
