/** One server after another on the same state folder, and what clients, an operator and the logs see of it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_KEY, type Response, send } from './call.ts';
import { type LocalServer, startServer } from './local-server.ts';

export class Session {
  readonly #state = mkdtempSync(join(tmpdir(), 'ringfence-tenants-'));
  /** What each server has printed until it was ready. */
  readonly printed: string[] = [];
  #server: LocalServer | null = null;

  get server(): LocalServer {
    if (this.#server === null) throw new Error('expected a server that has been started');
    return this.#server;
  }

  /** Starts it, or starts it again. */
  async start(): Promise<void> {
    await this.#server?.stop();
    this.#server = await startServer(this.#state, ['--empty']);
    this.printed.push(this.#server.output);
  }

  async end(): Promise<void> {
    await this.#server?.stop();
    rmSync(this.#state, { recursive: true, force: true });
  }

  /** @param key null: none */
  call(key: string | null, method: string, path: string, body?: unknown): Promise<Response> {
    return send(this.server.url + path, { key, method, body });
  }

  /** What a lookup with this key answers, by GET. */
  async lookup(key: string, number: string): Promise<Response['json']> {
    return (await this.call(key, 'GET', `/v1/lookup?${query(number)}`)).json;
  }

  async makeKey(tenant: string, scopes: readonly string[], more: object = {}): Promise<string> {
    const { status, json } = await this.call(ADMIN_KEY, 'POST', '/v1/keys', { name: 'e2e', tenant, scopes, ...more });
    if (status !== 201) throw new Error(`expected a new key; found ${status}`);
    return String(json.key);
  }

  /** Stops the server, so that all it had to say has been written. */
  async wholeLog(): Promise<string> {
    const path = /The Worker's log is (.+?)\. Ctrl-C/.exec(this.server.output)?.[1];
    if (path === undefined) throw new Error('expected the path of the log in what npm start prints');
    await this.server.stop();
    return readFileSync(path, 'utf8');
  }
}

export function idOf(key: string): string {
  return key.split('_')[1] ?? '';
}

/** The key with another last digit. */
export function forged(key: string): string {
  return key.slice(0, -1) + (key.endsWith('0') ? '1' : '0');
}

export function query(number: string): string {
  return `number=${encodeURIComponent(number)}`;
}

/** A request for each route that needs a key, and the scope that it needs; `foreign` is a key of another tenant. */
export function protectedRoutes(number: string, policy: object, foreign: string) {
  const key = { name: 'mine', scopes: ['admin'], tenant: 'bank' };
  return [
    { method: 'GET', path: `/v1/lookup?${query(number)}`, scope: 'lookup' },
    { method: 'POST', path: '/v1/lookup', body: { number }, scope: 'lookup' },
    { method: 'POST', path: '/v1/lookup/batch', body: { numbers: [number] }, scope: 'lookup' },
    { method: 'GET', path: '/v1/status', scope: 'lookup' },
    { method: 'GET', path: '/v1/policy', scope: 'policy' },
    { method: 'POST', path: '/v1/policy/test', body: { policy, numbers: [number] }, scope: 'policy' },
    { method: 'GET', path: '/v1/overrides', scope: 'policy' },
    { method: 'GET', path: '/v1/audit', scope: 'policy' },
    { method: 'POST', path: '/v1/detections', body: [], scope: 'ingest' },
    { method: 'GET', path: '/v1/feed/manifest', scope: 'feed' },
    { method: 'GET', path: `/v1/feed/slices/${'0'.repeat(64)}`, scope: 'feed' },
    { method: 'GET', path: '/v1/keys', scope: 'admin' },
    { method: 'POST', path: '/v1/keys', body: key, scope: 'admin' },
    { method: 'DELETE', path: `/v1/keys/${idOf(foreign)}`, scope: 'admin' },
    { method: 'POST', path: '/v1/rollback', body: { generation: 0 }, scope: 'admin' },
    { method: 'GET', path: '/v1/briefings/2025-05-16/2025-05-30', scope: 'lookup' },
    { method: 'GET', path: '/v1/sources', scope: 'admin' },
    { method: 'POST', path: '/v1/sources/release', body: { source: 'x' }, scope: 'admin' },
    { method: 'POST', path: '/v1/sources/drop', body: { source: 'x' }, scope: 'admin' },
    { method: 'GET', path: '/v1/batches', scope: 'admin' },
    { method: 'POST', path: '/v1/batches/k-none/withdraw', scope: 'admin' },
    { method: 'POST', path: '/v1/batches/k-none/release', scope: 'admin' },
    { method: 'GET', path: '/v1/canaries', scope: 'admin' },
    { method: 'PUT', path: '/v1/canaries', body: { number }, scope: 'admin' },
    { method: 'DELETE', path: `/v1/canaries?${query(number)}`, scope: 'admin' },
  ];
}

/** Of the requests in the log, but for those that name an id or a hash. */
export function plainPaths(log: string): string[] {
  const paths = [...log.matchAll(/\b(?:GET|POST|PUT|DELETE) (\/\S*)/g)].map(([, path = '']) => path);
  return paths.filter((path) => !/^\/v1\/(keys|batches|feed\/slices)\//.test(path));
}
