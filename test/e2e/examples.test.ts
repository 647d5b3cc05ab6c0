/** Each example as a new user has it: by the command and the curl lines of its README, with a real Ringfence. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXAMPLES, startExample } from '../../scripts/example.ts';
import { TICK_PATH } from '../../scripts/local/dev-server.ts';
import { freePort } from '../../scripts/local/port.ts';
import type { Server } from '../../scripts/local/supervisor.ts';
import { ADMIN_KEY, call } from './call.ts';
import { readReadme, runCommand } from './examples/command.ts';
import { CHALLENGED, CREATED, REASONS, REFUSED, SANDBOX, signUp } from './examples/sign-up.ts';
import { GOOD_TOKEN, startSiteverify, TURNSTILE_SECRET } from './examples/siteverify.ts';
import type { HttpServer } from './http-server.ts';
import type { Started } from './started.ts';

/** A busy machine is no failure here; examples-failures.test.ts measures. */
const TIMEOUT_MS = '5000';
const START_LIMIT_MS = 120_000;
/** Wrangler notices within a second that another Worker has come or gone. */
const SOON = { timeout: 10_000, interval: 200 };
/** Not one that anybody has: of the numbers for fiction in North America. */
const REPORTED = 12_025_550_142;

const ENDINGS = {
  interrupt: (command: Started) => command.interrupt(),
  terminate: (command: Started) => command.end('SIGTERM'),
};

let siteverify: HttpServer;

beforeAll(async () => {
  siteverify = await startSiteverify();
});
afterAll(() => siteverify?.stop());

describe.each(EXAMPLES)('$name', (example) => {
  const readme = readReadme(example.name);
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-example-'));
  const reports: string[] = [];
  let command: Started;
  let url: string;
  let ringfence: string;
  /** The same with `onError: 'block'` and Turnstile, asking the same Ringfence. */
  let strict: Server;
  /** By the same command, without a Ringfence. */
  let alone: Started;
  let aloneUrl: string;

  beforeAll(async () => {
    const [port, ringfencePort, strictPort, alonePort, nobody] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    [url, aloneUrl, ringfence] = [port, alonePort, ringfencePort].map((one) => `http://127.0.0.1:${one}`) as [
      string,
      string,
      string,
    ];
    const state = join(folder, 'state');
    vi.stubEnv('WRANGLER_REGISTRY_PATH', join(state, 'registry'));
    const turnstile = { TURNSTILE_SECRET, TURNSTILE_URL: siteverify.url };
    const vars = { ON_ERROR: 'block', TIMEOUT_MS, RINGFENCE_URL: ringfence, RINGFENCE_KEY: ADMIN_KEY, ...turnstile };
    const onReport = (line: string) => reports.push(line);
    const starts = [
      runCommand(readme.command, { port, 'ringfence-port': ringfencePort, state }, { TIMEOUT_MS }).then((started) => {
        command = started;
      }),
      startExample(example, { port: strictPort, state: join(folder, 'strict'), vars, onReport }).then((started) => {
        strict = started;
      }),
      runCommand(
        `${readme.command} --no-ringfence`,
        { port: alonePort, 'ringfence-port': nobody, state: join(folder, 'alone') },
        { TIMEOUT_MS, WRANGLER_REGISTRY_PATH: join(folder, 'alone', 'registry') },
      ).then((started) => {
        alone = started;
      }),
    ];
    // Waits for all of them, so that those that did start are stopped.
    await Promise.allSettled(starts);
    await Promise.all(starts);
    vi.unstubAllEnvs();
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.allSettled([command?.interrupt(), strict?.stop(), alone?.interrupt()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers as its README says', () => {
    expect(readme.calls.map(({ status }) => status)).toEqual([403, 403, 201, 201]);
    for (const { curl, status, body } of readme.calls) {
      const line = curl.replace('http://127.0.0.1:8788', url).replace('curl ', "curl -s -w '\\n%{http_code}' ");
      const [text = '', code] = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\n');
      expect([Number(code), JSON.parse(text)], curl).toEqual([status, body]);
    }
  });

  it('blocks a listed number, challenges a suspect one, lets a clear one through, and never says why', async () => {
    const outcomes = [];
    for (const number of [SANDBOX.listed, SANDBOX.suspect, SANDBOX.clear]) outcomes.push(await signUp(url, number));
    expect(outcomes).toMatchObject([REFUSED, CHALLENGED, CREATED]);
    for (const { text } of outcomes) expect(text).not.toMatch(REASONS);
  });

  it('blocks a number that has been reported', async () => {
    expect(await signUp(url, REPORTED)).toMatchObject(CREATED);
    await call(`${ringfence}/v1/detections`, { body: [{ number: `+${REPORTED}`, label: 'modem_pool_card' }] });
    await fetch(ringfence + TICK_PATH);
    await vi.waitFor(async () => expect(await signUp(url, REPORTED)).toMatchObject(REFUSED), SOON);
  });

  if (example.reaches === 'binding') {
    it('asks as the tenant that its binding names', async () => {
      const delisting = (list: string) => ({ number: `+${SANDBOX.clear}`, list, reason: 'test' });
      await call(`${ringfence}/v1/overrides?tenant=other`, { method: 'PUT', body: delisting('block') });
      expect(await signUp(url, SANDBOX.clear)).toMatchObject(CREATED);
      await call(`${ringfence}/v1/overrides?tenant=shop`, { method: 'PUT', body: delisting('block') });
      await vi.waitFor(async () => expect(await signUp(url, SANDBOX.clear)).toMatchObject(REFUSED), SOON);
      await call(`${ringfence}/v1/overrides?tenant=shop`, { method: 'PUT', body: delisting('allow') });
      await vi.waitFor(async () => expect(await signUp(url, SANDBOX.clear)).toMatchObject(CREATED), SOON);
    });
  }

  it('keeps to onError when the lookup cannot say or its quota is used up', async () => {
    await vi.waitFor(async () => expect(await signUp(strict.url, SANDBOX.clear)).toMatchObject(CREATED), SOON);
    for (const number of [SANDBOX.unknown, SANDBOX.quotaExceeded]) {
      expect(await signUp(url, number)).toMatchObject(CREATED);
      const refused = await signUp(strict.url, number);
      expect(refused).toMatchObject(REFUSED);
      // The same words as for a listed number.
      expect(refused.text).toBe((await signUp(strict.url, SANDBOX.listed)).text);
    }
    for (const why of ['unavailable', 'rate-limited']) {
      await vi.waitFor(() => expect(command.output).toContain(`sign-up: allow, ${why}\n`), SOON);
      await vi.waitFor(() => expect(reports).toContain(`sign-up: block, ${why}`), SOON);
    }
  });

  it('lets a suspect number through once its challenge is solved, but not a listed one', async () => {
    const { suspect, listed } = SANDBOX;
    expect(await signUp(strict.url, suspect)).toMatchObject(CHALLENGED);
    expect(await signUp(strict.url, suspect, 'another-token')).toMatchObject(CHALLENGED);
    expect(await signUp(strict.url, suspect, GOOD_TOKEN)).toMatchObject(CREATED);
    expect(await signUp(strict.url, listed, GOOD_TOKEN)).toMatchObject(REFUSED);
    // Here there is no secret: no token is good.
    expect(await signUp(url, suspect, GOOD_TOKEN)).toMatchObject(CHALLENGED);
    await vi.waitFor(() => expect(reports).toContain('sign-up: challenge, passed'), SOON);
  });

  it('does without a number or a readable body what it says', async () => {
    const post = (body: string) =>
      fetch(`${url}/sign-up`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect((await post('{"email":"someone@example.com"}')).status).toBe(400);
    expect((await post('{"phone":["+61491570158"]}')).status).toBe(201);
    expect((await post('{"phone":["+61491570158","+61491570156"]}')).status).toBe(403);
    expect((await post('{"phone":')).status).toBe(example.runs === 'node' ? 400 : 403);
  });

  it('shows a form', async () => {
    const response = await fetch(url);
    expect(await response.text()).toContain('<form id="sign-up"');
    for (const file of ['style.css', 'sign-up.js']) expect((await fetch(`${url}/${file}`)).status, file).toBe(200);
  });

  it('lets sign-ups through when there never was a Ringfence', async () => {
    expect(await signUp(aloneUrl, SANDBOX.listed)).toMatchObject(CREATED);
    await vi.waitFor(() => expect(alone.output).toContain('sign-up: allow, unreachable\n'), SOON);
  });

  // Either way, with and without a Ringfence to stop.
  const [first, second] =
    example.runs === 'node' ? (['terminate', 'interrupt'] as const) : (['interrupt', 'terminate'] as const);

  it(`leaves no process without a Ringfence: ${first}`, async () => {
    await ENDINGS[first](alone);
    await vi.waitFor(() => expect(alone.isAlive()).toBe(false), SOON);
  });

  it(`leaves no process: ${second}; what asked that Ringfence keeps to its onError`, async () => {
    expect(await signUp(strict.url, SANDBOX.clear)).toMatchObject(CREATED);
    await ENDINGS[second](command);
    await vi.waitFor(() => expect(command.isAlive()).toBe(false), SOON);
    await vi.waitFor(async () => expect(await signUp(strict.url, SANDBOX.clear)).toMatchObject(REFUSED), SOON);
    await vi.waitFor(() => expect(reports).toContain('sign-up: block, unreachable'), SOON);
  });
});
