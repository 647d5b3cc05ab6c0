import { availableParallelism } from 'node:os';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { kCurrentWorker } from 'miniflare';
import { defineConfig } from 'vitest/config';

/** Far above what any test takes: a busy machine is no failure. */
const testTimeout = 30_000;

export default defineConfig({
  test: {
    // By itself it leaves one core idle, half of a small machine.
    maxWorkers: availableParallelism(),
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], environment: 'node', testTimeout } },
      {
        test: {
          name: 'bench',
          include: ['test/bench/**/*.test.ts'],
          environment: 'node',
          testTimeout: 120_000,
          // Their stores are made before the tests.
          hookTimeout: 120_000,
          fileParallelism: false,
          // After the others: these compare times, and whoever works beside them takes from one side only.
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [
          cloudflareTest({
            main: './test/workerd/main.ts',
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: { RINGFENCE_ADMIN_KEY: 'admin-key-of-the-workerd-tests-01234' },
              serviceBindings: {
                CONTROL: { name: kCurrentWorker, entrypoint: 'Control' },
                COMPILER: { name: kCurrentWorker, entrypoint: 'PolicyCompiler' },
              },
            },
          }),
        ],
        test: { name: 'workerd', include: ['test/workerd/**/*.test.ts'], testTimeout },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          environment: 'node',
          testTimeout,
          // It makes the package and dist/ once; no file writes them.
          globalSetup: './test/e2e/global-setup.ts',
        },
      },
    ],
  },
});
