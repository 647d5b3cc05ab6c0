/** The route of uploads as a server of its own, over the real src/ingest and a store in memory. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openBatch } from '../../../../src/format/batch.ts';
import { type AcceptResult, acceptDetections } from '../../../../src/ingest/accept.ts';
import { BodyError } from '../../../../src/ingest/body.ts';
import { UNPACED } from '../../../../src/lib/cooperate.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../../../src/storage/memory.ts';

export const KEY = 'rf_test-key';

export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Called for each upload with its number from 1; an answer takes the place of the real one. */
export type Interfere = (upload: number, handle: () => Promise<Answer>) => Promise<Answer | 'hang up'>;

export class FakeServer {
  readonly #server = createServer((request, response) => void this.#handle(request, response));
  objects = new MemoryObjectStore();
  labels: ReadonlySet<string> = new Set(['reported_abuse', 'public_sms_receiver']);
  interfere: Interfere = (_, handle) => handle();
  /** What is said of a batch that was counted before. */
  stateOf: (batch: string) => string | undefined = () => undefined;
  /** Idempotency-Keys of uploads that arrived, in order; those without one are not counted. */
  readonly keys: string[] = [];
  now = () => Date.UTC(2025, 5, 1, 12);

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** All detections of all batches, as `number day sightings label`. */
  async detections(): Promise<string[]> {
    const rows: string[] = [];
    for (const prefix of [WAITING_PREFIX, MERGED_PREFIX]) {
      for (const { key } of (await this.objects.list(prefix)).objects) {
        const stored = await this.objects.get(key);
        if (stored === null) continue;
        const batch = openBatch(stored.bytes);
        for (let i = 0; i < batch.rows; i++) {
          const day = new Date((batch.observedAt[i] ?? 0) * 1000).toISOString().slice(0, 10);
          const label: string = JSON.parse(batch.attributes[batch.attributesIndex[i] ?? 0] ?? '[]')[0];
          rows.push(`${batch.numbers[i]} ${day} ${batch.sightings[i]} ${label}`);
        }
      }
    }
    return rows.sort();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string') this.keys.push(key);
    const handle = () => this.#answer(request, typeof key === 'string' ? key : undefined);
    const answer = typeof key === 'string' ? await this.interfere(this.keys.length, handle) : await handle();
    if (answer === 'hang up') {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body ?? {}));
  }

  async #answer(request: IncomingMessage, key: string | undefined): Promise<Answer> {
    if (request.url !== '/v1/detections') return { status: 404 };
    if (request.headers.authorization !== `Bearer ${KEY}`) {
      return { status: 401, body: { detail: 'expected a known key; found another' } };
    }
    try {
      return toAnswer(await this.#accept(request, key), this.stateOf);
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      return { status: 400, body: { detail: error.detail } };
    }
  }

  async #accept(request: IncomingMessage, key: string | undefined): Promise<AcceptResult> {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for await (const piece of request) controller.enqueue(piece);
        controller.close();
      },
    });
    return acceptDetections(
      {
        body,
        contentType: request.headers['content-type'] ?? null,
        contentEncoding: request.headers['content-encoding'] ?? null,
        tenant: 'default',
        ...(key !== undefined && { idempotencyKey: key }),
      },
      { objects: this.objects, now: this.now, randomId: () => crypto.randomUUID(), labels: this.labels, pace: UNPACED },
    );
  }
}

function toAnswer(result: AcceptResult, stateOf: FakeServer['stateOf']): Answer {
  if (result.kind === 'conflict') return { status: 409, body: { detail: 'conflict' } };
  const { accepted, rejected, errors, defaulted, ignoredFields } = result.receipt;
  return {
    status: 202,
    headers: result.replayed ? { 'idempotent-replayed': 'true' } : {},
    body: {
      ...{ batch: result.batch, accepted, rejected, errors, defaulted, ignoredFields },
      ...(result.replayed && { state: stateOf(result.batch) }),
    },
  };
}
