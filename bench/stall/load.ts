/** The numbers that are looked up: every second one listed, of the segments all over the store. */

import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { openNumbers } from '../../src/storage/slices.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';

/** As many as an isolate surely keeps the verdicts of. */
const SEGMENTS = 20;

export async function lookupNumbers(folder: string, count: number): Promise<number[]> {
  const objects = new DirectoryObjectStore(join(folder, 'objects'));
  const { manifest } = await loadManifest(objects);
  const all = manifest.runs.flatMap(({ segments }) => segments);
  const chosen = all.filter((_, i) => i % Math.max(1, Math.floor(all.length / SEGMENTS)) === 0);
  const numbers: number[] = [];
  for (const entry of chosen) {
    const reader = await openNumbers(objects, entry);
    const share = Math.ceil(count / chosen.length / 2);
    for (let i = 0; i < share; i++) {
      const listed = reader.select(Math.floor((i * reader.count) / share));
      numbers.push(listed, listed + 1);
    }
  }
  return numbers;
}

// Requests at a fixed rate, whoever answers or not: an open loop, each timed from when it was to be sent.

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
}

export interface Stream {
  readonly name: string;
  /** Calls a second. */
  readonly rate: number;
  readonly call: (index: number) => Call;
}

/** Milliseconds, by the name of the stream. */
export type Latencies = ReadonlyMap<string, number[]>;

const MAX_SOCKETS = 512;
/** Beyond this nothing is coming any more. */
const LIMIT_MS = 120_000;

export class Load {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  readonly #streams: readonly Stream[];
  #sent = 0;

  constructor(url: string, streams: readonly Stream[]) {
    this.#url = new URL(url);
    this.#streams = streams;
  }

  /** Sends until `during` is done, and waits for all answers. Rejects when one is not the expected. */
  async run(during: () => Promise<void>): Promise<Latencies> {
    const latencies = new Map(this.#streams.map(({ name }): [string, number[]] => [name, []]));
    let isOver = false;
    const sending = this.#streams.map(async ({ name, rate, call }, i) => {
      const answers: Promise<void>[] = [];
      // The streams do not all begin together.
      const start = performance.now() + (1_000 * (i + 1)) / (rate * (this.#streams.length + 1));
      for (let n = 0; !isOver; n++) {
        const due = start + (n * 1_000) / rate;
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        const sent = this.#send(call(this.#sent++)).then(() => {
          latencies.get(name)?.push(performance.now() - due);
        });
        answers.push(sent);
        sent.catch(() => undefined);
      }
      await Promise.all(answers);
    });
    try {
      await during();
    } finally {
      isOver = true;
    }
    await Promise.all(sending);
    return latencies;
  }

  #send({ method, path, headers, body, status }: Call): Promise<void> {
    const { hostname, port } = this.#url;
    return new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, method, path, headers, agent: this.#agent, timeout: LIMIT_MS },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => {
            text += part;
          });
          answer.on('end', () => {
            if (answer.statusCode === status) resolve();
            else
              reject(
                new Error(
                  `${path.split('?')[0]}: expected ${status}, found ${answer.statusCode}: ${text.slice(0, 300)}`,
                ),
              );
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`${path.split('?')[0]}: no answer in ${LIMIT_MS} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
