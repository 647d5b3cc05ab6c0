/**
 * Requests on a schedule, whoever answers or not, over raw keep-alive sockets: an open loop. A latency counts from when
 * the request was to be sent, so that a stall counts for every request that fell into it, and not once. wrk is a closed
 * loop, and of the tools that Debian packages none sends two routes in turns at a fixed rate.
 *
 * The loop spins, since timers are a millisecond coarse: this process takes one core, the Worker has the other. What
 * the loop itself costs is the same for every route.
 */

import { connect, type Socket } from 'node:net';

/** An answer that has not come by then is not coming. */
const ANSWER_LIMIT_MS = 30_000;
/** With nothing to send for longer than this, and nothing to wait for, the loop lets the core go. */
const SPIN_MS = 3;
/** Between two of its turns the loop does far less than this takes: for longer, the machine has taken its core away. */
const STALL_MS = 5;
const BUFFER_BYTES = 64 * 1024;

export interface Schedule {
  /** Milliseconds from the beginning, ascending. */
  readonly at: Float64Array;
  /** The bytes of each request. */
  readonly request: (index: number) => Buffer;
}

export interface Sent {
  /** Milliseconds from when each was to be sent to the end of its answer. */
  readonly latencyMs: Float64Array;
  /** Milliseconds that each was sent late: the loop was busy, or no connection was free. It is part of the latency. */
  readonly lateMs: Float64Array;
  /** When the loop itself stood still, in milliseconds from the beginning. */
  readonly stalls: readonly Stall[];
}

export interface Stall {
  readonly from: number;
  readonly to: number;
}

/** One request at a time. */
class Connection {
  readonly #socket: Socket;
  readonly #answered: (connection: Connection, status: string) => void;
  /** What has come of an answer whose head is not complete. */
  #head = '';
  /** Bytes of the body that have not come yet. */
  #left = 0;
  #isAnswering = false;
  index = -1;

  private constructor(socket: Socket, answered: (connection: Connection, status: string) => void) {
    this.#socket = socket;
    this.#answered = answered;
  }

  static open(
    url: URL,
    answered: (connection: Connection, status: string) => void,
    failed: (error: Error) => void,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let connection: Connection | undefined;
      const take = (bytes: number, buffer: Uint8Array) => {
        try {
          connection?.take(buffer as Buffer, bytes);
        } catch (error) {
          failed(error as Error);
        }
        return true;
      };
      const socket = connect({
        host: url.hostname,
        port: Number(url.port),
        noDelay: true,
        onread: { buffer: Buffer.allocUnsafe(BUFFER_BYTES), callback: take },
      });
      socket.once('connect', () => {
        connection = new Connection(socket, answered);
        resolve(connection);
      });
      socket.once('error', (error) => {
        reject(error);
        failed(error);
      });
      socket.once('close', () => failed(new Error('the Worker closed a connection')));
    });
  }

  send(index: number, bytes: Buffer): void {
    this.index = index;
    this.#isAnswering = false;
    this.#head = '';
    this.#socket.write(bytes);
  }

  take(buffer: Buffer, bytes: number): void {
    if (this.#isAnswering) {
      this.#left -= bytes;
    } else {
      this.#head += buffer.toString('latin1', 0, bytes);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head.slice(0, end));
      if (length === null) throw new Error('the Worker answered without a content-length');
      this.#isAnswering = true;
      this.#left = Number(length[1]) - (this.#head.length - end - 4);
    }
    if (this.#left < 0) throw new Error('the Worker answered more than it said');
    if (this.#left === 0) this.#answered(this, this.#head.slice(9, 12));
  }

  close(): void {
    this.#socket.destroy();
  }
}

/**
 * Sends all requests and waits for all answers.
 * @param connections how many requests are under way at once at most; what is due beyond that waits, and is late
 * @throws Error unless every request was answered, with status 200
 */
export async function sendOnSchedule(address: string, { at, request }: Schedule, connections: number): Promise<Sent> {
  const count = at.length;
  const stalls: Stall[] = [];
  const sent: Sent = { latencyMs: new Float64Array(count), lateMs: new Float64Array(count), stalls };
  const free: Connection[] = [];
  let answers = 0;
  let startedAt = Number.NaN;
  let failure: Error | null = null;
  const fail = (error: Error) => {
    failure ??= error;
  };
  const answered = (connection: Connection, status: string) => {
    const { index } = connection;
    sent.latencyMs[index] = performance.now() - startedAt - (at[index] as number);
    if (status !== '200') fail(new Error(`of ${count} requests one was refused with status ${status}`));
    answers += 1;
    free.push(connection);
  };
  const opened = await Promise.all(
    Array.from({ length: connections }, () => Connection.open(new URL(address), answered, fail)),
  );
  free.push(...opened);
  let next = 0;
  let progressAt = performance.now();
  startedAt = progressAt;
  try {
    let turnedAt = 0;
    for (let before = -1; answers < count; ) {
      if (failure !== null) throw failure;
      const now = performance.now() - startedAt;
      if (now - turnedAt > STALL_MS) stalls.push({ from: turnedAt, to: now });
      if (answers !== before) {
        before = answers;
        progressAt = now;
      } else if (next > answers && now - progressAt > ANSWER_LIMIT_MS) {
        throw new Error(`of ${count} requests ${count - answers} were not answered`);
      }
      next = sendDue(next, now);
      const idleMs = next < count ? (at[next] as number) - now : 0;
      if (next === answers && idleMs > SPIN_MS) {
        turnedAt = now + idleMs - SPIN_MS;
        await new Promise((resolve) => setTimeout(resolve, idleMs - SPIN_MS));
      } else {
        turnedAt = now;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    if (failure !== null) throw failure;
    return sent;
  } finally {
    for (const connection of opened) connection.close();
  }

  function sendDue(from: number, now: number): number {
    let index = from;
    for (; index < count && (at[index] as number) <= now; index++) {
      const connection = free.pop();
      if (connection === undefined) break;
      sent.lateMs[index] = now - (at[index] as number);
      connection.send(index, request(index));
    }
    return index;
  }
}

/** So many requests as fast as they are answered: all are due at once. */
export function flood(address: string, requests: readonly Buffer[], count: number, connections: number): Promise<Sent> {
  const schedule = { at: new Float64Array(count), request: (index: number) => cyclic(requests, index) };
  return sendOnSchedule(address, schedule, connections);
}

export function cyclic(requests: readonly Buffer[], index: number): Buffer {
  return requests[index % requests.length] as Buffer;
}
