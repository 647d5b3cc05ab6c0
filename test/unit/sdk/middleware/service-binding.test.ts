/** In workerd: two Workers, a service binding between them, and the middleware in one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestHarness } from 'wrangler';
import { NUMBER } from './answers.ts';

const COMPATIBILITY_DATE = '2026-11-09';
const folder = mkdtempSync(join(tmpdir(), 'ringfence-middleware-'));
let server: ReturnType<typeof createTestHarness>;

function worker(name: string, more: object = {}): { configPath: string } {
  const configPath = join(folder, `${name}.json`);
  const main = join(import.meta.dirname, 'workers', `${name}.ts`);
  writeFileSync(configPath, JSON.stringify({ name, main, compatibility_date: COMPATIBILITY_DATE, ...more }));
  return { configPath };
}

beforeAll(async () => {
  // No report of use, no look for a newer version: tests run offline.
  Object.assign(process.env, {
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    X_LOCAL_OBSERVABILITY: 'false',
  });
  const services = [
    { binding: 'RINGFENCE', service: 'lookup', entrypoint: 'Lookup' },
    { binding: 'SITE', service: 'lookup' },
  ];
  server = createTestHarness({ workers: [worker('shop', { services }), worker('lookup')] });
  await server.listen();
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(['hono', 'itty', 'fetch', 'check', 'http'])('/%s', (path) => {
  const signup = (scenario: string) =>
    server.fetch(`/${path}`, { method: 'POST', body: JSON.stringify({ phone: NUMBER, scenario }) });

  it('hands the answer of the other Worker to the route, which still has its body', async () => {
    for (const scenario of ['allow', 'flag']) {
      expect(await (await signup(scenario)).json()).toMatchObject({
        check: {
          outcome: scenario,
          pass: true,
          error: null,
          answer: { number: NUMBER, level: 9, labels: ['modem_pool_card'] },
        },
        body: { phone: NUMBER, scenario },
      });
    }
  });

  it('blocks, challenges, and fails as onError and onBadNumber say', async () => {
    for (const scenario of ['block', 'challenge', 'throws', 'nonsense'])
      expect((await signup(scenario)).status).toBe(403);
    expect(await (await signup('invalid')).json()).toMatchObject({
      check: { outcome: 'allow', error: 'invalid-number' },
    });
  });

  it('does not wait for an answer that does not come', async () => {
    const before = performance.now();
    expect((await signup('never')).status).toBe(403);
    expect(performance.now() - before).toBeLessThan(5000);
  });
});
