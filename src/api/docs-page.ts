/**
 * The reference page: Swagger UI over GET /openapi.json, served whole by this deployment. Its two large files are
 * static assets (wrangler.toml) and not part of the Worker's script; no other file of their folder is served.
 */
import type { Context } from 'hono';
import { Problem } from './problem.ts';
import type { Endpoint } from './route.ts';
import type { Assets } from './services.ts';

/** The shield that browsers show in the tab of the page. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%23c2410c' d='M8 1 2 3v5c0 3 2 5 6 7 4-2 6-4 6-7V3z'/%3E%3C/svg%3E";

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Ringfence API</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/init.js" defer></script>
</head>
<body>
<main id="reference"><noscript>This page needs JavaScript; the document itself is at /openapi.json.</noscript></main>
</body>
</html>
`;

/**
 * A pasted key stays in the page's memory and is gone when the page is closed. A class of the root element switches on
 * the dark mode of Swagger UI. For every media type with "json" in its name Swagger UI would send an example that is
 * text as one JSON string, and NDJSON with it; a plugin tells it that lines are text.
 */
const INIT = `const dark = matchMedia('(prefers-color-scheme: dark)');
const setMode = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', setMode);
setMode();
const asText = (type) => (type === 'application/x-ndjson' ? 'text/plain' : type);
const LinesAreText = () => ({
  afterLoad() {
    const { getSampleSchema } = this.fn;
    this.fn.getSampleSchema = (schema, type, ...rest) => getSampleSchema(schema, asText(type), ...rest);
  },
});
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false,
  plugins: [LinesAreText],
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

/** Narrower spacing, without the choice among servers (there is one) and the column of links (there are none). */
const CSS = `body { margin: 0; }
noscript { display: block; padding: 2rem; font-family: sans-serif; }
.swagger-ui .info { margin: 2rem 0 0; }
.swagger-ui .scheme-container { padding: 1rem 0; }
.swagger-ui .servers-title, .swagger-ui .servers { display: none; }
.swagger-ui .response-col_links { display: none; }
.swagger-ui .auth-container input[type=text] { width: 100%; }
@media (max-width: 40rem) {
  .swagger-ui .opblock-body { overflow-wrap: anywhere; }
  .swagger-ui .opblock .opblock-section-header { padding: 0.5rem; }
  .swagger-ui .responses-inner { padding: 0.5rem; }
  .swagger-ui table.responses-table td, .swagger-ui table.headers td { min-width: 0; }
}
`;

/**
 * Scripts and styles come from this origin only, and none stand within the page. Pictures in Swagger UI's styles are
 * data.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page changes with the Worker, so browsers ask again after minutes. The assets change with Swagger UI: after a
 * day.
 */
const PAGE_CACHE = 'public, max-age=300';
const ASSET_CACHE = 'public, max-age=86400';
const HEADERS = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** What the Worker serves from its script, by file name. */
const OWN_FILES: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  'init.js': { type: 'text/javascript; charset=utf-8', text: INIT },
  'page.css': { type: 'text/css; charset=utf-8', text: CSS },
};
/** What it serves from the folder of the assets, under the same names. */
const ASSET_FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'];
export const FILES = [...Object.keys(OWN_FILES), ...ASSET_FILES];

/** `assets` is null where there are none, as on a bare workerd. */
export const DOCS_ROUTES: readonly Endpoint<{ readonly assets: Assets | null }>[] = [
  {
    method: 'GET',
    path: '/docs',
    operationId: 'docs',
    scope: null,
    handle: () =>
      answer(HTML, 'text/html; charset=utf-8', { 'cache-control': PAGE_CACHE, 'content-security-policy': POLICY }),
  },
  {
    method: 'GET',
    path: '/docs/:file',
    operationId: 'docsFile',
    scope: null,
    handle: ({ req }, { assets }) => file(req, assets),
  },
];

function answer(text: string, type: string, headers: Readonly<Record<string, string>>): Response {
  return new Response(text, { headers: { ...HEADERS, 'content-type': type, ...headers } });
}

async function file(req: Context['req'], assets: Assets | null): Promise<Response> {
  const name = req.param('file') ?? '';
  const own = Object.hasOwn(OWN_FILES, name) ? OWN_FILES[name] : undefined;
  if (own !== undefined) return answer(own.text, own.type, { 'cache-control': PAGE_CACHE });
  if (!ASSET_FILES.includes(name)) throw new Problem('not-found', `expected one of ${FILES.join(', ')}`);
  if (assets === null) throw new Problem('not-found', 'expected a deployment with the files of the reference page');
  return asset(name, req.header('if-none-match'), assets);
}

async function asset(name: string, etag: string | undefined, assets: Assets): Promise<Response> {
  // Assets are found by their path alone, so any host will do.
  const request = new Request(
    `https://assets.invalid/${name}`,
    etag === undefined ? {} : { headers: { 'if-none-match': etag } },
  );
  const found = await assets.fetch(request);
  const headers = new Headers(found.headers);
  for (const [header, value] of Object.entries({ ...HEADERS, 'cache-control': ASSET_CACHE }))
    headers.set(header, value);
  if (found.status !== 200 && found.status !== 304) {
    await found.body?.cancel();
    throw new Error(`expected the asset ${name}; found the status ${found.status}`);
  }
  return new Response(found.body, { status: found.status, headers });
}
