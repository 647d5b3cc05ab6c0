/** Runs worker.ts on the local simulation of KV and D1. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestHarness } from 'wrangler';
import type { Billed, Task } from './worker.ts';

const COMPATIBILITY_DATE = '2026-11-09';

export interface Platform {
  perform(task: Task, numbers: readonly number[]): Promise<Billed>;
  stop(): Promise<void>;
}

export async function startPlatform(): Promise<Platform> {
  // No report of use, no look for a newer version: the benchmark runs offline.
  Object.assign(process.env, {
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    X_LOCAL_OBSERVABILITY: 'false',
  });
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-designs-'));
  const configPath = join(folder, 'wrangler.json');
  writeFileSync(
    configPath,
    JSON.stringify({
      name: 'designs',
      main: join(import.meta.dirname, 'worker.ts'),
      compatibility_date: COMPATIBILITY_DATE,
      kv_namespaces: [{ binding: 'KV', id: 'numbers' }],
      d1_databases: [{ binding: 'D1', database_name: 'numbers', database_id: 'numbers' }],
    }),
  );
  const server = createTestHarness({ workers: [{ configPath }] });
  await server.listen();
  return {
    async perform(task, numbers) {
      const response = await server.fetch(`/${task}`, { method: 'POST', body: JSON.stringify(numbers) });
      if (!response.ok) throw new Error(`${task}: status ${response.status}: ${await response.text()}`);
      return (await response.json()) as Billed;
    },
    async stop() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
