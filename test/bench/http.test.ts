import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bars, measure, storageReads } from '../../bench/http/bench.ts';
import { COUNTERS_PATH, type Counters } from '../../bench/http/disk-stores.ts';
import { LoadToolMissing, loadResult, prepareLoad, requireLoadTool, runLoad } from '../../bench/http/load.ts';
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
import { startBenchWorker } from '../../bench/http/workerd.ts';
import { median } from '../../bench/report.ts';
import { DirectoryObjectStore } from '../../bench/support/directory-store.ts';
import { Random } from '../../bench/support/random.ts';
import type { Workerd } from '../../bench/support/workerd.ts';

const LINE = { requests: 1000, duration: 2_000_000, p50: 150, p99: 1_500, p999: 9_000, refused: 0, broken: 0 };
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

  test('gives microseconds, told here in seconds and milliseconds', () => {
    const { p50Ms, p99Ms, p999Ms, seconds, requests } = loadResult(`Running 2s test\n${JSON.stringify(LINE)}\n`);
    expect({ p50Ms, p99Ms, p999Ms, seconds, requests }).toEqual({
      p50Ms: 0.15,
      p99Ms: 1.5,
      p999Ms: 9,
      seconds: 2,
      requests: 1000,
    });
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

  test('reads nothing from storage once warm, uses CPU, and is compared with its empty route', async (context) => {
    try {
      requireLoadTool();
    } catch {
      context.skip();
    }
    const { host } = new URL(workerd.url);
    const routes = measuredRoutes(sample, new Random(2), clients)
      .filter(({ name }) => name === GET_EMPTY || name === GET_LISTED)
      .map((route, i) => ({ ...route, prepared: prepareLoad(join(scratch, `load-${i}`), host, route.requests) }));
    const plan = { rounds: 1, seconds: 1, connections: 2 };
    await measure(workerd, routes, plan);
    const before = await counters();
    const [empty, listed] = await measure(workerd, routes, plan);
    expect(storageReads(await counters())).toBe(storageReads(before));
    expect(empty).toMatchObject({ rateRatio: 1, cpuRatio: 1, p99AboveMs: 0 });
    expect(listed?.requestsASecond).toBeGreaterThan(0);
    expect(listed?.cpuMicros).toBeGreaterThan(0);
    expect(listed?.cpuRatio).toBeCloseTo((listed?.cpuMicros ?? 0) / (empty?.cpuMicros ?? 1), 5);
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

  async function counters(): Promise<Counters> {
    const response = await fetch(workerd.url + COUNTERS_PATH);
    return (await response.json()) as Counters;
  }
});

describe('the bars', () => {
  const measured = (cpuRatio: number, rateRatio: number, p99AboveMs: number) =>
    measuredRoutes(sample, new Random(3), clients).map((route) => ({
      route,
      connections: 2,
      requestsASecond: 200,
      p50Ms: 1,
      p99Ms: 1,
      p999Ms: 1,
      cpuMicros: 1,
      cpuRatio: cpuRatio * (route.numbersARequest === 1 ? 1 : 20),
      rateRatio,
      p99AboveMs,
    }));
  const quiet = { warmReads: 0, rightAnswers: 1200 };

  test('of the full form hold rate, latency and the batch', () => {
    const good = measured(1.1, 0.95, 0.2);
    expect(bars({ ...quiet, saturated: good, moderate: good }, 'full').every(({ met }) => met)).toBe(true);
    const slow = measured(1.1, 0.8, 1.5);
    const missed = bars({ ...quiet, saturated: slow, moderate: slow }, 'full').filter(({ met }) => !met);
    expect(missed.map(({ value }) => value)).toEqual([0.8, 0.8, 0.8, 0.8, 1.5, 1.5]);
  });

  test('of the small form hold CPU and storage reads, and no absolute time', () => {
    const good = measured(1.2, 0.1, 100);
    expect(bars({ ...quiet, saturated: good, moderate: good }, 'small').every(({ met }) => met)).toBe(true);
    const heavy = measured(7, 0.95, 0);
    const missed = bars({ warmReads: 1, rightAnswers: 1200, saturated: heavy, moderate: heavy }, 'small');
    expect(missed.filter(({ met }) => !met)).toHaveLength(8);
  });
});
