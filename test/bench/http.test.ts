import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storageReads } from '../../bench/http/bench.ts';
import { COUNTERS_PATH, type Counters } from '../../bench/http/disk-stores.ts';
import {
  LoadToolMissing,
  loadResult,
  prepareLoad,
  requestBytes,
  requireLoadTool,
  runLoad,
} from '../../bench/http/load.ts';
import {
  buildSmallStore,
  type NumberSample,
  openStoredNumbers,
  type StoredNumbers,
  sampleNumbers,
} from '../../bench/http/numbers.ts';
import {
  type ClientKeys,
  checkAnswers,
  createClients,
  GET_EMPTY,
  GET_LISTED,
  getRequest,
  LOOKUP_PATH,
  measuredRoutes,
} from '../../bench/http/routes.ts';
import { byCount, byTime, measureSaturation } from '../../bench/http/saturation.ts';
import { startBenchWorker } from '../../bench/http/workerd.ts';
import { median } from '../../bench/report.ts';
import { DirectoryObjectStore } from '../../bench/support/directory-store.ts';
import { Random } from '../../bench/support/random.ts';
import type { Workerd } from '../../bench/support/workerd.ts';

const LINE = { requests: 1000, duration: 2_000_000, refused: 0, broken: 0 };
const scratch = mkdtempSync(join(tmpdir(), 'ringfence-http-test-'));
let stored: StoredNumbers;
let sample: NumberSample;
let clients: ClientKeys;
let workerd: Workerd;

beforeAll(async () => {
  const store = join(scratch, 'store');
  await buildSmallStore(store);
  stored = await openStoredNumbers(new DirectoryObjectStore(join(store, 'objects')));
  sample = sampleNumbers(stored, new Random(1), 2000);
  const keys = join(scratch, 'keys');
  clients = await createClients(keys);
  workerd = await startBenchWorker({ store, keys, adminKey: 'admin-key-of-the-http-benchmark-0123', scratch });
});

afterAll(async () => {
  await workerd?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

describe('the load tool', () => {
  test('is asked for by the name of its package when it is missing', () => {
    expect(() => requireLoadTool('no-such-tool')).toThrow(LoadToolMissing);
    expect(() => requireLoadTool('no-such-tool')).toThrow('`apt-get install no-such-tool`');
  });

  test('gives microseconds, told here in seconds', () => {
    expect(loadResult(`Running 2s test\n${JSON.stringify(LINE)}\n`)).toEqual({ requests: 1000, seconds: 2 });
  });

  test.each([
    { ...LINE, refused: 1 },
    { ...LINE, broken: 1 },
    { ...LINE, requests: 0 },
  ])('does not measure a Worker that refuses or breaks off', (line) => {
    expect(() => loadResult(JSON.stringify(line))).toThrow(/refused/);
  });

  test('is not believed without a result', () => {
    expect(() => loadResult('unable to connect')).toThrow('unable to connect');
  });

  test('gets whole requests, each with its length before it', () => {
    const requests = [getRequest('/a', 12025550123, 'k'), { ...getRequest('/b', 12025550124, 'k'), body: 'é' }];
    const text = readFileSync(prepareLoad(join(scratch, 'two'), 'example:1', requests), 'utf8');
    const first = 'GET /a?number=%2B12025550123 HTTP/1.1\r\nhost: example:1\r\nauthorization: Bearer k\r\n\r\n';
    expect(text.startsWith(`${first.length}\n${first}`)).toBe(true);
    expect(text.endsWith('content-length: 2\r\n\r\né')).toBe(true);
  });
});

test('the median of an even count lies between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

describe('the sample', () => {
  test('has listed and unlisted numbers, and is the same for the same seed', () => {
    expect(sample.warm.every((number) => stored.has(number))).toBe(true);
    expect(sample.unlisted.some((number) => stored.has(number))).toBe(false);
    expect(sampleNumbers(stored, new Random(1), 2000)).toEqual(sample);
    // All verdicts of the small store fit into the memory of an isolate.
    expect(sample.anywhere).toBeNull();
  });
});

describe('the Worker', () => {
  test('answers as the columns say, by GET, by POST and in a batch', async () => {
    expect(await checkAnswers(workerd.url, clients.builtIn, sample, stored)).toBe(600);
    expect(await checkAnswers(workerd.url, clients.tenRules, sample, stored)).toBe(600);
  });

  test('is found out when it answers wrongly', async () => {
    const swapped = { ...sample, warm: sample.unlisted, unlisted: sample.warm };
    const other = { has: (number: number) => !stored.has(number), neighbours: () => 0 };
    await expect(checkAnswers(workerd.url, clients.builtIn, swapped, other)).rejects.toThrow('a wrong answer');
  });

  test('takes no request without a key but on the empty route', async () => {
    const { path } = getRequest(LOOKUP_PATH, 12025550123, clients.builtIn);
    expect((await fetch(workerd.url + path)).status).toBe(401);
    expect((await fetch(`${workerd.url}/empty`)).status).toBe(200);
  });

  test('reads nothing from storage once warm, uses CPU, and is compared with its empty route', async () => {
    const contender = { workerd, routes: prepared() };
    const loading = byCount(500, 4);
    await measureSaturation(contender, null, 1, loading);
    const before = await counters();
    const [empty, listed] = await measureSaturation(contender, contender, 2, loading);
    expect(storageReads(await counters())).toBe(storageReads(before));
    expect(empty).toMatchObject({ rateRatio: 1, cpuRatio: 1 });
    expect(listed?.requestsASecond).toBeGreaterThan(0);
    expect(listed?.cpuMicros).toBeGreaterThan(0);
    expect(listed?.cpuRatio).toBeCloseTo((listed?.cpuMicros ?? 0) / (empty?.cpuMicros ?? 1), 5);
    expect(listed?.beforeRatio).toBeGreaterThan(0);
  });

  test('is loaded by wrk with the same requests', async (context) => {
    try {
      requireLoadTool();
    } catch {
      context.skip();
    }
    const [empty] = await measureSaturation({ workerd, routes: prepared() }, null, 1, byTime(1, 2));
    expect(empty?.requestsASecond).toBeGreaterThan(0);
    expect(empty?.beforeRatio).toBeNaN();
  });

  test('fails the load when it refuses', async (context) => {
    try {
      requireLoadTool();
    } catch {
      context.skip();
    }
    const requests = [getRequest(LOOKUP_PATH, 12025550123, 'rf_no_such_key')];
    const prepared = prepareLoad(join(scratch, 'refused'), new URL(workerd.url).host, requests);
    await expect(runLoad(workerd.url, prepared, { connections: 1, seconds: 1 })).rejects.toThrow(/refused/);
  });

  function prepared() {
    const { host } = new URL(workerd.url);
    return measuredRoutes(sample, new Random(2), clients)
      .filter(({ name }) => name === GET_EMPTY || name === GET_LISTED)
      .map((route, i) => ({
        ...route,
        prepared: prepareLoad(join(scratch, `load-${i}`), host, route.requests),
        bytes: route.requests.map((request) => requestBytes(host, request)),
      }));
  }

  async function counters(): Promise<Counters> {
    const response = await fetch(workerd.url + COUNTERS_PATH);
    return (await response.json()) as Counters;
  }
});
