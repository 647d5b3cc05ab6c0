/**
 * The app over stores in memory. Every answer that a test gets is held against what the routes say of themselves: the
 * status must be documented, the body must fit its schema and have no field beyond it.
 */

import type { Hono } from 'hono';
import * as v from 'valibot';
import { expect } from 'vitest';
import { BRIEFING_EXAMPLE } from '../../../src/api/briefings.ts';
import { controlRoutes } from '../../../src/api/control-app.ts';
import { problem, problemsOf } from '../../../src/api/openapi.ts';
import { PROBLEM_TYPE_PREFIX } from '../../../src/api/problem.ts';
import type { RouteDoc } from '../../../src/api/route.ts';
import type { Status } from '../../../src/api/services.ts';
import type { DaySpan } from '../../../src/briefing/period.ts';
import { acceptDetections, type Upload } from '../../../src/ingest/accept.ts';
import type { Scope } from '../../../src/keys/key.ts';
import { KeyRegistry, type NewKey } from '../../../src/keys/registry.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import type { AsOf } from '../../../src/lookup/as-of.ts';
import type { Health } from '../../../src/lookup/health.ts';
import type { Samples } from '../../../src/lookup/sample.ts';
import { withSandbox, withSandboxPast } from '../../../src/lookup/sandbox.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../../src/merge/context.ts';
import type { RollbackResult } from '../../../src/merge/rollback.ts';
import { batchService, type QualityService, qualityService } from '../../../src/merge/services.ts';
import type { Finding } from '../../../src/policy/answer.ts';
import { policyTreeOf } from '../../../src/policy/cel/compile.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { MemorySliceStore } from '../../../src/storage/memory.ts';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { TenantRulesCache } from '../../../src/tenants/tenant-rules.ts';
import { TenantStore } from '../../../src/tenants/tenant-store.ts';
import { type WholeServices, wholeApp } from '../../support/whole.ts';
import { countingBytes, FlakyStore } from '../keys/storage.ts';

export const ADMIN_KEY = 'admin-key-of-more-than-32-characters';

export const STATUS: Status = {
  generation: 7,
  publishedAt: '2025-05-29T08:12:00.000Z',
  inventory: { numbers: 3, active: 3, activeAsOf: null },
  waiting: { batches: 0, detections: 0, atLeast: false },
  runs: [{ numbers: 3, segments: 1, bytes: 420 }],
  retained: [{ generation: 6, publishedAt: '2025-05-29T08:11:00.000Z' }],
  quarantine: { sources: 0, detections: 0 },
  setAside: { batches: 0, failed: 0 },
  numberPlan: { version: '1.2.3' },
  lastTick: { at: '2025-05-29T08:12:00.000Z', batches: 1, detections: 3, newNumbers: 3, unreadable: 0 },
};

/** Of a number that is listed at the highest level, with nobody beside it. */
export const LISTED = {
  generation: 7,
  ageSeconds: 2,
  record: {
    labels: ['modem_pool_card'],
    channels: ['other'],
    industries: [],
    firstDay: 20_225,
    lastDay: 20_237,
    sightings: 1,
  },
  hundred: 0,
  thousand: 0,
  score: 0,
} as const satisfies Finding;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body read as JSON; null if it is empty. */
  readonly json: unknown;
  /** The code that the problem type ends in. */
  readonly code: string | null;
}

export interface CallOptions {
  /** undefined: the admin key. */
  readonly key?: string | null;
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Harness {
  nowMs = Date.UTC(2025, 4, 31, 12);
  readonly objects = new FlakyStore(() => this.nowMs);
  /** By number; a number that is not here is clear, one that is null storage cannot answer for. */
  readonly findings = new Map<number, Finding | null>();
  /** Whether findings need no look at storage. */
  inMemory = false;
  readonly asked: { numbers: readonly number[]; evidence: boolean }[] = [];
  /** What `past` answers: a finding as of any day or generation is that of `findings`. */
  readonly askedPast: { number: number; asOf: AsOf; evidence: boolean }[] = [];
  notRetained: readonly number[] | null = null;
  readonly uploads: Upload[] = [];
  readonly briefings: DaySpan[] = [];
  readonly rollbacks: { generation: number; requeue: boolean }[] = [];
  readonly logged: { event: string; fields: Readonly<Record<string, string | number>> }[] = [];
  readonly background: Promise<unknown>[] = [];
  /** Thrown by everything that reaches behind the HTTP layer. */
  failure: Error | null = null;
  health: Health = { ok: true, generation: 7, ageSeconds: 2, numberPlan: { version: '1.2.3' } };
  rollbackResult: RollbackResult = { kind: 'done', generation: 8, restored: 6, batches: ['k-1'] };
  readonly keys: KeyRegistry;
  readonly services: WholeServices;
  readonly routes: readonly RouteDoc[];
  readonly app: Hono;

  constructor() {
    const randomBytes = countingBytes();
    this.keys = new KeyRegistry({
      objects: this.objects,
      adminKey: ADMIN_KEY,
      now: () => this.nowMs,
      randomBytes,
      // Ends after all that the store in memory has to do.
      sleep: () => new Promise((resolve) => setTimeout(resolve, 0)),
      waitUntil: (promise) => void this.background.push(promise),
      report: () => undefined,
    });
    this.services = this.#services();
    this.routes = controlRoutes(this.services).all;
    this.app = wholeApp(this.services);
  }

  #services(): WholeServices {
    const labels = new LabelLevels();
    const reached = () => {
      if (this.failure !== null) throw this.failure;
    };
    const shared = {
      objects: this.objects,
      now: () => this.nowMs,
      randomBytes: countingBytes(),
      sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 0)),
      waitUntil: (promise: Promise<unknown>) => void this.background.push(promise),
      report: () => undefined,
    };
    const log: WholeServices['log'] = (event, fields) => void this.logged.push({ event, fields });
    const rules = new TenantRulesCache({ ...shared, log, compile: async (source) => policyTreeOf(source) });
    const tenants = new TenantStore({ ...shared, holder: rules });
    let changes = 0;
    return {
      keys: this.keys,
      labels,
      rules,
      tenants,
      feed: {
        manifest: () => Promise.reject(new StorageUnavailable('no feed here')),
        slice: async () => null,
        segment: async () => null,
      },
      briefings: {
        get: async (span) => {
          reached();
          this.briefings.push(span);
          return BRIEFING_EXAMPLE;
        },
      },
      assets: null,
      sampler: async (inventory, clear) => this.#sample(inventory, clear),
      limiters: [],
      random: () => 0,
      now: () => this.nowMs,
      randomId: () => 'failure-1',
      pace: UNPACED,
      log,
      finder: withSandbox(
        {
          probe: (number) => ({ finding: this.inMemory ? this.#finding(number) : null }),
          find: async (numbers, { evidence }) => {
            reached();
            this.asked.push({ numbers, evidence });
            return numbers.map((number) => this.#finding(number));
          },
        },
        () => this.nowMs,
      ),
      past: withSandboxPast(
        async (number, asOf, { evidence }) => {
          reached();
          this.askedPast.push({ number, asOf, evidence });
          if (this.notRetained !== null) return { kind: 'not-retained', retained: this.notRetained };
          const finding = this.#finding(number);
          if (finding === null) throw new StorageUnavailable('no storage');
          const at = 'day' in asOf ? (asOf.day + 1) * 86_400_000 - 1 : this.nowMs - 60_000;
          return { kind: 'found', finding, at, complete: number % 2 === 0 };
        },
        () => this.nowMs,
      ),
      status: async () => {
        reached();
        return STATUS;
      },
      health: async () => this.health,
      accept: async (upload) => {
        reached();
        this.uploads.push(upload);
        return acceptDetections(upload, {
          objects: this.objects,
          now: () => this.nowMs,
          randomId: () => 'upload-1',
          pace: UNPACED,
          labels,
        });
      },
      quality: this.#quality(shared),
      rollback: async (generation, { requeue }) => {
        reached();
        this.rollbacks.push({ generation, requeue });
        return this.rollbackResult;
      },
      batches: batchService({ ...this.mergeContext, randomId: () => `change-${++changes}` }),
    };
  }

  /** The real one, on the store in memory. */
  #quality(deps: Parameters<typeof qualityService>[1]): QualityService {
    let ids = 0;
    return qualityService({ ...this.mergeContext, randomId: () => `decision-${++ids}` }, deps);
  }

  /** For ticks on the store that the routes see. */
  get mergeContext(): MergeContext {
    return {
      objects: this.objects,
      slices: new MemorySliceStore(),
      now: () => this.nowMs,
      sleep: async (ms) => {
        this.nowMs += ms;
      },
      randomId: () => crypto.randomUUID(),
      log: (event, fields) => void this.logged.push({ event, fields }),
      pace: UNPACED,
      budget: DEFAULT_BUDGET,
    };
  }

  /** Of the numbers in `findings`, and of an exchange where nothing is listed. */
  #sample(inventory: number, clear: number): Samples {
    const listed = [...this.findings].flatMap(([number, finding]) => (finding?.record ? [number] : []));
    const others = Array.from({ length: 1000 }, (_, i) => 12_015_550_000 + i);
    return { inventory: listed.slice(0, inventory), clear: others.slice(0, clear) };
  }

  #finding(number: number): Finding | null {
    const finding = this.findings.get(number);
    return finding === undefined
      ? { generation: 7, ageSeconds: 2, record: null, hundred: 0, thousand: 0, score: 0 }
      : finding;
  }

  /** A stored key with these scopes. */
  async keyWith(scopes: readonly Scope[], more: Partial<NewKey> = {}): Promise<string> {
    const result = await this.keys.create({ name: 'test', scopes, ...more });
    if (result.kind !== 'created') throw new Error(`expected a key; found ${result.kind}`);
    return result.key;
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { key = ADMIN_KEY, json, headers = {} } = options;
    const body = json === undefined ? options.body : JSON.stringify(json);
    const response = await this.app.request(path, {
      method,
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    });
    const answer = await answerOf(response);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    this.#checkDocumented(method, path, answer);
    return answer;
  }

  #checkDocumented(method: string, path: string, answer: Answer): void {
    const route = this.routes.find((candidate) => candidate.method === method && matches(candidate.path, path));
    if (answer.code !== null) {
      expectExactly(problem, answer.json);
      expect(answer.json).toMatchObject({ status: answer.status });
      if (route !== undefined) expect(problemsOf(route)).toContain(answer.code);
      return;
    }
    if (method === 'HEAD') return;
    const documented = route?.answers.find(({ status }) => status === answer.status);
    expect(documented, `${method} ${path} ${answer.status} is documented`).toBeDefined();
    if (documented?.json === undefined) expect(answer.text).toBe('');
    else expectExactly(documented.json.schema, answer.json);
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json: unknown = text === '' ? null : JSON.parse(text);
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  const type = isProblem && typeof json === 'object' && json !== null && 'type' in json ? String(json.type) : null;
  if (text !== '' && !isProblem) expect(response.headers.get('content-type')).toBe('application/json');
  if (isProblem && text !== '') expect(type).toContain(PROBLEM_TYPE_PREFIX);
  const code = type === null ? null : type.slice(PROBLEM_TYPE_PREFIX.length);
  return { status: response.status, headers: response.headers, text, json, code };
}

/** Fits the schema, and has nothing that the schema does not have. */
export function expectExactly(schema: v.GenericSchema, value: unknown): void {
  const parsed = v.safeParse(schema, value);
  expect(parsed.issues ?? []).toEqual([]);
  expect(value).toEqual(parsed.output);
}

function matches(pattern: string, path: string): boolean {
  const found = (path.split('?')[0] ?? '').split('/');
  const expected = pattern.split('/');
  return expected.length === found.length && expected.every((part, i) => part.startsWith(':') || part === found[i]);
}
