/** An origin in this process: a world with ticks, its HTTP API with the feed, and what can go wrong on the way. */
import { Hono } from 'hono';
import { authorize } from '../../../src/api/auth.ts';
import { FEED_ROUTES } from '../../../src/api/feed.ts';
import { failureResponse } from '../../../src/api/problem.ts';
import { RequestQuota } from '../../../src/api/quota.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import type { Scope } from '../../../src/keys/key.ts';
import type { TickBudget } from '../../../src/merge/context.ts';
import { tick } from '../../../src/merge/tick.ts';
import type { TenantRules } from '../../../src/policy/decide.ts';
import { Feed } from '../../../src/replica/feed.ts';
import { FeedConfigs } from '../../../src/replica/feed-config.ts';
import { createWhole, type Whole, type WholeSettings, wholeApp } from '../../support/whole.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const ADMIN_KEY = 'admin-key-of-more-than-32-characters';
export const ORIGIN_URL = 'https://origin.example';

type Answering = (request: Request) => Promise<Response>;

export class TestOrigin {
  readonly world: World;
  readonly runtime: Whole;
  readonly feed: Feed;
  /** What tenants decide with, if not what the runtime says. */
  readonly rules = new Map<string, TenantRules>();
  /** Method and path of every request that reached the origin, and bytes of every answer with a body. */
  readonly requests: { readonly path: string; readonly bytes: number; readonly status: number }[] = [];
  /** On the way to the origin. */
  between: (request: Request, answer: Answering) => Promise<Response> = (request, answer) => answer(request);
  readonly #app: Hono;
  #uploads = 0;

  constructor(budget: Partial<TickBudget> = {}, settings: WholeSettings = {}) {
    this.world = newWorld(budget);
    const { objects, slices } = this.world;
    this.runtime = createWhole({ objects, slices }, { RINGFENCE_ADMIN_KEY: ADMIN_KEY, ...settings }, () => undefined);
    const { services, finder } = this.runtime;
    const rules = { latest: async (tenant: string) => this.rules.get(tenant) ?? services.rules.get(tenant) };
    const configs = new FeedConfigs(rules, services.labels);
    this.feed = new Feed({
      snapshots: finder.snapshots,
      objects,
      slices,
      log: this.world.log,
      config: (tenant) => configs.get(tenant),
    });
    this.#app = this.#newApp();
  }

  /** The whole API; the feed's routes are served as src/api/app.ts serves all. */
  #newApp(): Hono {
    const { services } = this.runtime;
    const app = new Hono();
    const quota = new RequestQuota(services);
    for (const route of FEED_ROUTES) {
      app.on(route.method, route.path, async (context) => {
        try {
          if (route.scope === null) return await route.handle(context, this);
          const header = context.req.raw.headers.get('authorization');
          return await route.handle(context, await authorize(header, route.scope, services.keys, quota), this);
        } catch (error) {
          return failureResponse(error, route.path, { log: () => undefined, randomId: () => 'failure' });
        }
      });
    }
    const rest = wholeApp(services);
    app.notFound((context) => rest.fetch(context.req.raw));
    return app;
  }

  async key(scopes: readonly Scope[], tenant = 'default'): Promise<string> {
    const result = await this.runtime.services.keys.create({ name: 'test', scopes, tenant });
    if (result.kind !== 'created') throw new Error(`expected a key; found ${result.kind}`);
    return result.key;
  }

  /** Uploads and merges. */
  async merge(detections: readonly Detection[]): Promise<void> {
    this.#uploads += 1;
    await upload(this.world, `b${String(this.#uploads).padStart(4, '0')}`, detections);
    await this.tick();
  }

  async tick(): Promise<void> {
    await tick(this.world);
    await this.runtime.finder.snapshots.refresh();
  }

  /** As the network would. */
  readonly fetch = (request: Request): Promise<Response> =>
    this.between(request, async (passed) => {
      const response = await this.#app.fetch(passed);
      const body = await response.arrayBuffer();
      this.requests.push({ path: new URL(passed.url).pathname, bytes: body.byteLength, status: response.status });
      return new Response([204, 304].includes(response.status) ? null : body, response);
    });

  call(path: string, key: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
    const headers = { authorization: `Bearer ${key}`, ...init.headers };
    return this.fetch(new Request(ORIGIN_URL + path, { ...init, headers }));
  }
}
