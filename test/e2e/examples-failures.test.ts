/**
 * The examples in front of a lookup that is slow, answers rubbish or is over quota. That it is down, never started or
 * killed, is in examples.test.ts. The Workers run in workerd from their own wrangler.toml, with a Worker that fails, or
 * a server that fails, in place of Ringfence.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestHarness, type TestHarness } from 'wrangler';
import { PROJECT } from '../../scripts/command/paths.ts';
import { EXAMPLES, startExample } from '../../scripts/example.ts';
import { freePort } from '../../scripts/local/port.ts';
import type { Server } from '../../scripts/local/supervisor.ts';
import { numberOf, SLOW_MS } from './examples/fake-lookup/answers.ts';
import { RPC_FAILURES, RPC_NAMES } from './examples/fake-lookup/rpc-failures.ts';
import { HTTP_FAILURES, HTTP_NAMES, startFakeServer } from './examples/fake-lookup/server.ts';
import { CREATED, type Outcome, outcomeOf, REASONS, REFUSED, signUp, signUpRequest } from './examples/sign-up.ts';
import type { HttpServer } from './http-server.ts';

/** The default: the examples are started without TIMEOUT_MS. */
const TIMEOUT_MS = 500;
/** For the rest of the way, on a busy machine; far below what a slow lookup takes. */
const SLACK_MS = 2_500;
const SOON = { timeout: 15_000, interval: 100 };
const START_LIMIT_MS = 60_000;

let fake: HttpServer;

beforeAll(async () => {
  fake = await startFakeServer();
});
afterAll(() => fake?.stop());

describe.each(['allow', 'block'] as const)('onError: %s', (onError) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-example-'));
  const reports: Record<string, string[]> = {};
  const byUrl = new Map<string, Server>();
  let workers: TestHarness;

  beforeAll(async () => {
    const vars = { ON_ERROR: onError, RINGFENCE_URL: fake.url, RINGFENCE_KEY: 'rf_fake' };
    workers = createTestHarness({
      root: PROJECT,
      workers: [
        { configPath: 'examples/hono-sign-up/wrangler.toml', vars: { ON_ERROR: onError } },
        { configPath: 'test/e2e/examples/fake-lookup/wrangler.toml' },
      ],
    });
    await workers.listen();
    vi.stubEnv('WRANGLER_REGISTRY_PATH', join(folder, 'registry'));
    // Not in the harness: its way out goes through Node, which hides how a connection ends.
    for (const example of EXAMPLES.filter(({ reaches }) => reaches === 'url')) {
      const lines: string[] = [];
      reports[example.name] = lines;
      const onReport = (line: string) => lines.push(line);
      const state = join(folder, example.name);
      byUrl.set(example.name, await startExample(example, { port: await freePort(), state, vars, onReport }));
    }
    vi.unstubAllEnvs();
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.allSettled([workers?.close(), ...[...byUrl.values()].map((one) => one.stop())]);
    rmSync(folder, { recursive: true, force: true });
  });

  const sendToHono = (number: number) => outcomeOf(() => workers.fetch('/sign-up', signUpRequest(number)));
  const cases = [
    {
      name: 'hono-sign-up',
      send: sendToHono,
      failures: RPC_FAILURES,
      names: RPC_NAMES,
      log: () => workers.getLogs().map(({ message }) => message.trim()),
    },
    ...EXAMPLES.filter(({ reaches }) => reaches === 'url').map(({ name }) => ({
      name,
      send: (number: number) => signUp(byUrl.get(name)?.url ?? '', number),
      failures: HTTP_FAILURES,
      names: HTTP_NAMES,
      log: () => reports[name] ?? [],
    })),
  ];

  describe.each(cases)('$name', ({ send, failures, names, log }) => {
    const say = (name: string): Promise<Outcome> => send(numberOf(names, name));
    const count = (line: string) => log().filter((one) => one === line).length;

    it('follows a good answer', async () => {
      await vi.waitFor(async () => expect(await say('allow')).toMatchObject(CREATED), SOON);
      await vi.waitFor(async () => expect(await say('block')).toMatchObject(REFUSED), SOON);
    });

    it.each(Object.entries(failures))('%s: %s', async (name, error) => {
      const line = `sign-up: ${onError}, ${error}`;
      const before = count(line);
      const outcome = await say(name);
      expect(outcome).toMatchObject(onError === 'allow' ? CREATED : REFUSED);
      expect(outcome.text).not.toMatch(REASONS);
      expect(outcome.milliseconds).toBeLessThan(TIMEOUT_MS + SLACK_MS);
      expect(TIMEOUT_MS + SLACK_MS).toBeLessThan(SLOW_MS);
      if (error === 'timeout') expect(outcome.milliseconds).toBeGreaterThan(0.9 * TIMEOUT_MS);
      await vi.waitFor(() => expect(count(line), log().slice(-3).join('; ')).toBe(before + 1), SOON);
    });
  });
});
