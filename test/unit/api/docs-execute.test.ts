/**
 * What Execute of the reference page sends: Swagger UI itself, set up by the page's own script, makes a request from
 * the example of each operation, and the API takes it. There is no browser here; the parts that draw are never called.
 */
import { createRequire } from 'node:module';
import { beforeAll, expect, it, vi } from 'vitest';
import { ADMIN_KEY, Harness } from './harness.ts';

interface SwaggerSystem {
  readonly fn: {
    getSampleSchema(schema: unknown, type: string, options: object, example: unknown): unknown;
    buildRequest(options: object): {
      readonly method: string;
      readonly url: string;
      readonly headers: object;
      readonly body?: string;
    };
  };
  readonly specSelectors: { isOAS31(): boolean };
}
type Bundle = (options: object) => { getSystem(): SwaggerSystem };

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: unknown; readonly example: unknown }>>;
  };
}

const harness = new Harness();
let document: Document;
let system: SwaggerSystem;

beforeAll(async () => {
  document = (await harness.call('GET', '/openapi.json', { key: null })).json as Document;
  const location = new URL('https://ringfence.example/docs');
  const listeners = { addEventListener: () => undefined };
  vi.stubGlobal('window', { location, File, FormData, history: {}, ...listeners });
  vi.stubGlobal('location', location);
  vi.stubGlobal('fetch', async (url: string) => harness.app.request(new URL(url).pathname));
  const page = {
    ...listeners,
    readyState: 'complete',
    documentElement: { classList: { toggle: () => undefined } },
    querySelector: () => null,
    getElementById: () => null,
    createElement: () => ({}),
    location,
  };
  vi.stubGlobal('document', page);
  const bundle = createRequire(import.meta.url)('swagger-ui-dist/swagger-ui-bundle.js') as Bundle;
  const script = await harness.app.request('/docs/init.js');
  const setUp = new Function('matchMedia', 'document', 'SwaggerUIBundle', await script.text());
  setUp(
    () => ({ matches: false, ...listeners }),
    page,
    ({ dom_id: _, url, ...options }: Readonly<Record<string, unknown>>) => {
      system = bundle({ ...options, domNode: null, url: new URL(String(url), location).href }).getSystem();
    },
  );
  await vi.waitFor(() => expect(system.specSelectors.isOAS31()).toBe(true));
});

function* bodies() {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { operationId, requestBody }] of Object.entries(operations)) {
      for (const [type, { schema, example }] of Object.entries(requestBody?.content ?? {})) {
        yield { path, method, operationId, type, schema, example };
      }
    }
  }
}

/** As the page fills its box, and as Execute then sends it. */
function executed({
  operationId,
  type,
  schema,
  example,
}: ReturnType<typeof bodies> extends Generator<infer T> ? T : never) {
  const sample = system.fn.getSampleSchema(schema, type, { includeWriteOnly: true }, example);
  expect(typeof sample).toBe('string');
  return system.fn.buildRequest({
    spec: document,
    operationId,
    requestBody: sample,
    requestContentType: type,
    server: '/',
  });
}

it('of every operation with a body, by every media type, is taken', async () => {
  const seen: string[] = [];
  for (const each of bodies()) {
    const { method, url, headers, body } = executed(each);
    const answer = await new Harness().app.request(url, {
      method,
      headers: { ...(headers as Record<string, string>), authorization: `Bearer ${ADMIN_KEY}` },
      body: body ?? '',
    });
    seen.push(`${each.operationId} ${each.type}`);
    // What the example names need not be there: then it is not found, and not misunderstood.
    const code = answer.status < 300 ? 'taken' : ((await answer.json()) as { type: string }).type;
    expect(code, `${each.operationId} ${each.type}: ${body}`).toMatch(/^taken$|not-(retained|quarantined|found)$/);
  }
  expect(seen).toEqual(
    expect.arrayContaining(
      ['application/x-ndjson', 'application/json', 'text/csv'].map((type) => `uploadDetections ${type}`),
    ),
  );
});

it('of an upload has one detection, whichever media type', async () => {
  const uploads = [...bodies()].filter(({ operationId }) => operationId === 'uploadDetections');
  for (const each of uploads) {
    const { body, headers } = executed(each);
    const { status, json } = await new Harness().call('POST', '/v1/detections', {
      body: body ?? '',
      headers: headers as Record<string, string>,
    });
    expect([status, json], each.type).toMatchObject([202, { accepted: 1, rejected: 0 }]);
  }
});
