/** The bodies of README's curl lines are taken as they stand there; its sandbox numbers answer as it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Harness } from './api/harness.ts';

const README = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
const harness = new Harness();

function body(path: string): unknown {
  const command = README.slice(README.indexOf(path));
  const [, text] = /-d '([^']*)'/.exec(command) ?? [];
  return JSON.parse(text ?? '');
}

test('the policy and the override are accepted, without a warning', async () => {
  const policy = await harness.call('PUT', '/v1/policy', { json: body('/v1/policy" -d') });
  expect(policy.json).toMatchObject({
    version: 1,
    warnings: [],
    rules: [{ id: 'pool' }, { id: 'listed' }, { id: 'dense' }],
  });
  const override = await harness.call('PUT', '/v1/overrides', { json: body('/v1/overrides" \\') });
  expect(override.json).toMatchObject({ number: '+12025550123', list: 'allow' });
});

test('every number of the sandbox', async () => {
  const rows = [...README.matchAll(/^\| `(\+61\d+)` \| (.*) \|$/gm)].map(([, number, says]) => [number, says]);
  expect(rows).toHaveLength(5);
  for (const [number, says] of rows) {
    const { status, json } = await harness.call('POST', '/v1/lookup', { json: { number } });
    const verdict = /`(\w+)`/.exec(says ?? '')?.[1] ?? '';
    expect(status).toBe(Number(/HTTP (\d+)/.exec(says ?? '')?.[1] ?? 200));
    expect(JSON.stringify(json)).toContain(verdict);
  }
});
