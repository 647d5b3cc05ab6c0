import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { DOCS_ROUTES } from '../../../src/api/docs-page.ts';
import { Problem, problemResponse } from '../../../src/api/problem.ts';
import type { Assets } from '../../../src/api/services.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');

class FakeAssets implements Assets {
  readonly asked: Request[] = [];
  status = 200;

  async fetch(request: Request): Promise<Response> {
    this.asked.push(request);
    const headers = { etag: '"1"', 'content-type': 'text/css; charset=utf-8', 'cache-control': 'public, max-age=0' };
    return new Response(this.status === 200 ? 'asset' : null, { status: this.status, headers });
  }
}

function world(assets: FakeAssets | null = new FakeAssets()) {
  const app = new Hono();
  for (const route of DOCS_ROUTES) {
    if (route.scope !== null) throw new Error('expected routes without a scope');
    app.on(route.method, route.path, (context) => route.handle(context, { assets }));
  }
  app.onError((error) => {
    if (error instanceof Problem) return problemResponse(error);
    throw error;
  });
  const get = async (path: string, headers: Readonly<Record<string, string>> = {}) => app.request(path, { headers });
  return { assets, get };
}

/** What the policy allows, by directive. */
function policyOf(response: Response): Readonly<Record<string, string>> {
  const directives = (response.headers.get('content-security-policy') ?? '').split('; ');
  return Object.fromEntries(directives.map((directive) => [directive.split(' ')[0], directive.replace(/^\S+ /, '')]));
}

describe('the page', () => {
  it('may run and load nothing but what this deployment serves', async () => {
    const page = await world().get('/docs');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(policyOf(page)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
  });

  it('has no script and no style within it, which the policy would refuse', async () => {
    const html = await (await world().get('/docs')).text();
    expect(html).toContain('<title>Ringfence API</title>');
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
  });

  it('names files that are served', async () => {
    const { get } = world();
    const html = await (await get('/docs')).text();
    const paths = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].flatMap(([, path]) => path ?? []);
    expect(paths).toEqual(['/docs/swagger-ui.css', '/docs/page.css', '/docs/swagger-ui-bundle.js', '/docs/init.js']);
    for (const path of paths) expect((await get(path)).status, path).toBe(200);
  });

  it('shows the document, asks nobody to validate it, and keeps no key', async () => {
    const script = await (await world().get('/docs/init.js')).text();
    let given: Readonly<Record<string, unknown>> = {};
    const setUp = new Function('matchMedia', 'document', 'SwaggerUIBundle', script);
    const classes: [string, boolean][] = [];
    const document = {
      documentElement: { classList: { toggle: (name: string, on: boolean) => classes.push([name, on]) } },
    };
    setUp(
      () => ({ matches: true, addEventListener: () => undefined }),
      document,
      (options: Readonly<Record<string, unknown>>) => {
        given = options;
      },
    );
    expect(given).toMatchObject({ url: '/openapi.json', validatorUrl: null, persistAuthorization: false });
    const html = await (await world().get('/docs')).text();
    expect(html).toContain(`id="${String(given.dom_id).slice(1)}"`);
    expect(classes).toEqual([['dark-mode', true]]);
  });
});

describe('its files', () => {
  it.each(['swagger-ui-bundle.js', 'swagger-ui.css'])(
    '%s is passed on under its name, to be kept for a day',
    async (name) => {
      const { get, assets } = world();
      const response = await get(`/docs/${name}`, { authorization: 'Bearer rf_key' });
      expect(await response.text()).toBe('asset');
      expect(response.headers.get('cache-control')).toBe('public, max-age=86400');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('etag')).toBe('"1"');
      expect(assets?.asked.map(({ url }) => new URL(url).pathname)).toEqual([`/${name}`]);
      expect(assets?.asked.map(({ headers }) => [...headers.keys()])).toEqual([[]]);
    },
  );

  it('are not sent again to whoever has them', async () => {
    const { get, assets } = world();
    if (assets !== null) assets.status = 304;
    const response = await get('/docs/swagger-ui.css', { 'if-none-match': '"1"' });
    expect(response.status).toBe(304);
    expect(assets?.asked[0]?.headers.get('if-none-match')).toBe('"1"');
  });

  it.each([
    'index.html',
    'absolute-path.js',
    'package.json',
    '..%2fabsolute-path.js',
    'constructor',
    'swagger-ui.css.map',
  ])('nothing else of the folder is: %s', async (name) => {
    const { get, assets } = world();
    expect((await get(`/docs/${name}`)).status).toBe(404);
    expect(assets?.asked).toEqual([]);
  });

  it('that are missing are a fault of ours, except where there are no assets at all', async () => {
    const { get, assets } = world();
    if (assets !== null) assets.status = 404;
    await expect(get('/docs/swagger-ui.css')).rejects.toThrow(
      'expected the asset swagger-ui.css; found the status 404',
    );
    expect((await world(null).get('/docs/swagger-ui.css')).status).toBe(404);
  });

  it('are in the folder that is deployed, all of whose requests come to the Worker first', () => {
    const section = /^\[assets\]\n([^[]*)/m.exec(readFileSync(join(PROJECT, 'wrangler.toml'), 'utf8'))?.[1] ?? '';
    const folder = /^directory = "(.+)"$/m.exec(section)?.[1] ?? '';
    for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) {
      expect(existsSync(join(PROJECT, folder, name)), name).toBe(true);
    }
    expect(section).toMatch(/^binding = "ASSETS"$/m);
    expect(section).toMatch(/^run_worker_first = true$/m);
  });
});
