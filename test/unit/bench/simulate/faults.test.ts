import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '..', '..', '..', '..', 'bench', 'simulate.ts');
/** Some 30 s on two idle cores; other tests run beside it. */
const MINUTES = 60_000;

interface Ran {
  readonly status: number | null;
  readonly out: string;
}

/** In a process of its own: it replaces the platform's clock and chance. */
function simulate(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, out })));
}

/** Keeps a core busy until it is killed. */
function burn() {
  return spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' });
}

test('300 seeds break no promise', { timeout: 15 * MINUTES }, async () => {
  const { status, out } = await simulate('faults', '--seeds', '300');
  console.log(out.trim());
  expect(out).toContain('300 seeds:');
  expect(out).toContain('no promise broken');
  expect(status).toBe(0);
});

describe('the same seed', () => {
  test('gives the same trace to the byte, on a busy machine too', { timeout: 5 * MINUTES }, async () => {
    const fires = [burn(), burn()];
    try {
      const [one, other] = await Promise.all([
        simulate('faults', '--seed', '17', '--trace'),
        simulate('faults', '--seed', '17', '--trace'),
      ]);
      expect(one.out.split('\n').length).toBeGreaterThan(100);
      expect(other.out).toBe(one.out);
    } finally {
      for (const fire of fires) fire.kill();
    }
    const idle = await simulate('faults', '--seed', '17', '--trace');
    expect(idle.out).toContain('trace ');
    expect((await simulate('faults', '--seed', '18')).out).not.toContain(idle.out.match(/^trace .*/m)?.[0]);
  });
});

test('a fault that is put into the code is found', { timeout: 5 * MINUTES }, async () => {
  const { status, out } = await simulate('mutants', '--only', 'first seen is that of the record', '--seeds', '500');
  expect(out).toContain('1 of 1 mutants found');
  expect(status).toBe(0);
});
