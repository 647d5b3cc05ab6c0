/**
 * R2 and KV for a bare workerd, in a process of their own: in service the storage is elsewhere too, and a simulation
 * inside of workerd would hold up, on its one thread, the very lookups that are timed. Speaks as much of what workerd's
 * bindings say to their services as Ringfence uses (miniflare's own simulators are the model).
 *
 *   node storage.ts STORE SCRATCH
 *
 * STORE, a folder with `objects` and `slices`, is only read; what is written goes to SCRATCH. Prints one line of JSON:
 * the ports. Ends with its standard input.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';

const PRECONDITION_FAILED = 10_031;
const NO_SUCH_KEY = 10_007;
const LIST_LIMIT = 1_000;

interface Stored {
  readonly path: string;
  readonly size: number;
  readonly etag: string;
  readonly uploaded: number;
  readonly fields: readonly unknown[];
}

/** What the bindings ask for; other members are not used by Ringfence. */
interface Ask {
  readonly method: 'head' | 'get' | 'put' | 'list' | 'delete';
  readonly object?: string;
  readonly objects?: readonly string[];
  readonly range?: { readonly offset?: string | number; readonly length?: string | number };
  readonly onlyIf?: { readonly etagMatches?: readonly Etag[]; readonly etagDoesNotMatch?: readonly Etag[] };
  readonly customFields?: readonly unknown[];
  readonly prefix?: string;
  readonly cursor?: string;
  readonly startAfter?: string;
  readonly limit?: number;
}

type Etag = { readonly type: 'strong' | 'weak'; readonly value: string } | { readonly type: 'wildcard' };

/** A folder and what was written beside it, by key. */
class Overlay {
  readonly entries = new Map<string, Stored>();
  readonly #scratch: string;
  #written = 0;

  constructor(folder: string, scratch: string) {
    this.#scratch = scratch;
    mkdirSync(scratch, { recursive: true });
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(path);
      const etag = randomBytes(16).toString('hex');
      this.entries.set(relative(folder, path), { path, size, etag, uploaded: Math.floor(mtimeMs), fields: [] });
    }
  }

  put(key: string, bytes: Uint8Array, fields: readonly unknown[]): Stored {
    const path = join(this.#scratch, String(this.#written++));
    writeFileSync(path, bytes);
    const etag = randomBytes(16).toString('hex');
    const stored: Stored = { path, size: bytes.length, etag, uploaded: Date.now(), fields };
    this.entries.set(key, stored);
    return stored;
  }

  keys(prefix: string, after: string): string[] {
    return [...this.entries.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  }
}

function rawOf(name: string, { size, etag, uploaded, fields }: Stored) {
  return { name, version: etag, size, etag, uploaded, httpFields: {}, customFields: fields, checksums: {} };
}

function matches(conditions: readonly Etag[], stored: Stored | undefined): boolean {
  return stored !== undefined && conditions.some((one) => one.type === 'wildcard' || one.value === stored.etag);
}

function holds({ onlyIf }: Ask, stored: Stored | undefined): boolean {
  if (onlyIf?.etagMatches !== undefined && !matches(onlyIf.etagMatches, stored)) return false;
  return onlyIf?.etagDoesNotMatch === undefined || !matches(onlyIf.etagDoesNotMatch, stored);
}

function answer(response: ServerResponse, metadata: unknown, body: Uint8Array = new Uint8Array()): void {
  const json = Buffer.from(JSON.stringify(metadata));
  response.setHeader('cf-r2-metadata-size', String(json.length));
  response.setHeader('content-length', String(json.length + body.length));
  response.write(json);
  response.end(body);
}

function refuse(response: ServerResponse, status: number, v4code: number, metadata?: unknown): void {
  response.statusCode = status;
  response.setHeader('cf-r2-error', JSON.stringify({ version: 1, v4code, message: `${v4code}` }));
  if (metadata === undefined) response.end();
  else answer(response, metadata);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function r2(store: Overlay, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const size = Number(request.headers['cf-r2-metadata-size'] ?? 0);
  const header = request.headers['cf-r2-request'];
  const ask = JSON.parse(typeof header === 'string' ? header : body.subarray(0, size).toString()) as Ask;
  const key = ask.object ?? '';
  const stored = store.entries.get(key);
  if (ask.method === 'list') return answer(response, page(store, ask));
  if (ask.method === 'delete') {
    for (const each of ask.objects ?? [key]) store.entries.delete(each);
    response.end();
    return;
  }
  if (ask.method === 'put') {
    if (!holds(ask, stored)) return refuse(response, 412, PRECONDITION_FAILED);
    return answer(response, rawOf(key, store.put(key, body.subarray(size), ask.customFields ?? [])));
  }
  if (stored === undefined) return refuse(response, 404, NO_SUCH_KEY);
  if (ask.method === 'head') return answer(response, rawOf(key, stored));
  if (!holds(ask, stored)) return refuse(response, 412, PRECONDITION_FAILED, rawOf(key, stored));
  const bytes = readFileSync(stored.path);
  if (ask.range === undefined) return answer(response, rawOf(key, stored), bytes);
  const offset = Number(ask.range.offset ?? 0);
  const length = Math.min(Number(ask.range.length ?? bytes.length), bytes.length - offset);
  answer(response, { ...rawOf(key, stored), range: { offset, length } }, bytes.subarray(offset, offset + length));
}

function page(store: Overlay, { prefix = '', cursor, startAfter, limit = LIST_LIMIT }: Ask) {
  const keys = store.keys(prefix, cursor ?? startAfter ?? '');
  const taken = keys.slice(0, limit);
  const objects = taken.flatMap((key) => {
    const stored = store.entries.get(key);
    return stored === undefined ? [] : [rawOf(key, stored)];
  });
  const truncated = taken.length < keys.length;
  return { objects, truncated, ...(truncated ? { cursor: taken.at(-1) } : {}), delimitedPrefixes: [] };
}

async function kv(store: Overlay, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const url = new URL(request.url ?? '/', 'http://kv');
  const key = decodeURIComponent(url.pathname.slice(1));
  if (request.method === 'PUT') {
    store.put(key, body, [request.headers['cf-kv-metadata']]);
    response.end();
    return;
  }
  if (request.method === 'DELETE') store.entries.delete(key);
  if (request.method !== 'GET' || key === '') {
    // No merge lists slices but to collect garbage, which is not measured.
    response.end(JSON.stringify({ keys: [], list_complete: true, cacheStatus: null }));
    return;
  }
  const stored = store.entries.get(key);
  if (stored === undefined) response.statusCode = 404;
  response.end(stored === undefined ? undefined : readFileSync(stored.path));
}

type Handle = (store: Overlay, request: IncomingMessage, response: ServerResponse) => Promise<void>;

async function serve(store: Overlay, handle: Handle): Promise<number> {
  const server = createServer((request, response) => {
    handle(store, request, response).catch((error: unknown) => {
      console.error(error);
      response.statusCode = 500;
      response.end();
    });
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

const [folder = '', scratch = ''] = process.argv.slice(2);
const objects = new Overlay(join(folder, 'objects'), join(scratch, 'objects'));
const slices = new Overlay(join(folder, 'slices'), join(scratch, 'slices'));
console.log(JSON.stringify({ r2: await serve(objects, r2), kv: await serve(slices, kv) }));
process.stdin.on('end', () => process.exit(0)).resume();
