/** Which routes are the edge Worker's; all others are the control Worker's (src/http/routes.ts). */
import { docsRoutes } from '../http/docs-page.ts';
import { feedRoutes } from '../http/feed.ts';
import { lookupRoutes } from '../http/lookup.ts';
import { lookupBatchRoutes } from '../http/lookup-batch.ts';
import type { Route } from '../http/route.ts';
import type { EdgeServices } from '../http/services.ts';
import { healthRoutes } from './health.ts';

export function edgeRoutes(services: EdgeServices): readonly Route[] {
  return [
    ...lookupRoutes(services),
    ...lookupBatchRoutes(services),
    ...healthRoutes(services),
    ...feedRoutes(services),
    ...docsRoutes(services),
  ];
}
