/**
 * The two other designs as a Worker would have them, on KV and D1 as they are simulated locally: it does what it is
 * asked to, and answers with what that is billed as.
 */
/** A KV namespace that counts what it is billed for: each key read, there or not, and each key written. */
class CountedKv {
  reads = 0;
  writes = 0;
  /** Of the values read. */
  bytes = 0;
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  async get(key: string): Promise<string | null> {
    this.reads += 1;
    const value = await this.#kv.get(key);
    this.bytes += value?.length ?? 0;
    return value;
  }

  async put(key: string, value: string): Promise<void> {
    this.writes += 1;
    await this.#kv.put(key, value);
  }
}

interface Env {
  readonly KV: KVNamespace;
  readonly D1: D1Database;
}

/** What a task did. */
export interface Billed {
  readonly kvReads: number;
  readonly kvWrites: number;
  readonly d1RowsRead: number;
  readonly d1RowsWritten: number;
  /** Of values or records read. */
  readonly bytes: number;
  /** For lookups: the numbers that are listed, in order. */
  readonly listed: readonly number[];
}

export type Task = 'kv/load' | 'kv/look-up' | 'kv/publish' | 'd1/load' | 'd1/look-up' | 'd1/neighbours' | 'd1/publish';

/** Subrequests under way at once. */
const PARALLEL = 50;
/** Statements in one call of D1. Each is billed by itself. */
const STATEMENTS = 100;
/** The fields of a verdict as JSON: label, channel, industry, first day, days until the last, sightings. */
const RECORD = JSON.stringify({ l: ['modem_pool_card'], c: ['otp_marketplace'], i: [], f: 20_238, d: 0, n: 1 });

const CREATE = 'CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY, record TEXT NOT NULL)';
const INSERT = `INSERT INTO numbers VALUES (?1, '${RECORD}')`;
const FIND = 'SELECT number, record FROM numbers WHERE number = ?1';
const NEIGHBOURS = 'SELECT count(*) FROM numbers WHERE number >= ?1 - ?1 % 100 AND number < ?1 - ?1 % 100 + 100';
/** The detection is folded into what was known of the number. */
const UPSERT = `${INSERT} ON CONFLICT DO UPDATE SET record = json_set(record, '$.n', record ->> '$.n' + 1)`;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const task = new URL(request.url).pathname.slice(1);
    const billed = await perform(task, (await request.json()) as number[], env);
    return billed === null ? new Response(`no task ${task}`, { status: 404 }) : Response.json(billed);
  },
};

async function perform(task: string, numbers: readonly number[], { KV, D1 }: Env): Promise<Billed | null> {
  const kv = new CountedKv(KV);
  switch (task as Task) {
    case 'kv/load':
      return eachKey(kv, numbers, (key) => kv.put(key, RECORD));
    case 'kv/look-up':
      return eachKey(kv, numbers, (key) => kv.get(key));
    case 'kv/publish':
      return eachKey(kv, numbers, async (key) => kv.put(key, fold(await kv.get(key))));
    case 'd1/load':
      await D1.exec(CREATE);
      return eachRow(D1, numbers, INSERT);
    case 'd1/look-up':
      return eachRow(D1, numbers, FIND);
    case 'd1/neighbours':
      return eachRow(D1, numbers, NEIGHBOURS);
    case 'd1/publish':
      return eachRow(D1, numbers, UPSERT);
    default:
      return null;
  }
}

/** The same as UPSERT, on what is read before it is written. */
function fold(value: string | null): string {
  if (value === null) return RECORD;
  const record = JSON.parse(value) as { n: number };
  return JSON.stringify({ ...record, n: record.n + 1 });
}

async function eachKey(
  kv: CountedKv,
  numbers: readonly number[],
  act: (key: string) => Promise<unknown>,
): Promise<Billed> {
  const listed: number[] = [];
  for (let from = 0; from < numbers.length; from += PARALLEL) {
    const part = numbers.slice(from, from + PARALLEL);
    const values = await Promise.all(part.map((number) => act(String(number))));
    listed.push(...part.filter((_, i) => typeof values[i] === 'string'));
  }
  return { kvReads: kv.reads, kvWrites: kv.writes, d1RowsRead: 0, d1RowsWritten: 0, bytes: kv.bytes, listed };
}

async function eachRow(d1: D1Database, numbers: readonly number[], sql: string): Promise<Billed> {
  const statement = d1.prepare(sql);
  const listed: number[] = [];
  let [d1RowsRead, d1RowsWritten, bytes] = [0, 0, 0];
  for (let from = 0; from < numbers.length; from += STATEMENTS) {
    const part = numbers.slice(from, from + STATEMENTS);
    const answers = await d1.batch<{ number?: number; record?: string }>(part.map((number) => statement.bind(number)));
    for (const { meta, results } of answers) {
      d1RowsRead += meta.rows_read;
      d1RowsWritten += meta.rows_written;
      for (const { number, record } of results) {
        bytes += record?.length ?? 0;
        if (number !== undefined) listed.push(number);
      }
    }
  }
  return { kvReads: 0, kvWrites: 0, d1RowsRead, d1RowsWritten, bytes, listed };
}
