import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workerConfigs } from '../../../../scripts/command/worker-configs.ts';

const STORE = `kv_namespaces = [{ binding = "SLICES", id = "ours" }]
r2_buckets = [{ binding = "STORE", bucket_name = "ours" }]
`;
const EDGE = `name = "shop"
main = "edge.ts"
services = [{ binding = "CONTROL", service = "shop-control" }]
vars = { RINGFENCE_STALE = "serve" }
${STORE}`;
const CONTROL = `
[env.control]
name = "shop-control"
main = "control.ts"
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringfence-configs-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function configsOf(text: string) {
  const path = join(folder, 'wrangler.toml');
  writeFileSync(path, text);
  return workerConfigs(undefined, path);
}

describe('the control Worker', () => {
  test('has the store, the limiters and the variables of the edge', () => {
    const { edge, control } = workerConfigs();
    expect(control.ratelimits).toHaveLength(4);
    const { r2_buckets, kv_namespaces, ratelimits } = edge;
    expect(control).toMatchObject({ name: 'ringfence-control', r2_buckets, kv_namespaces, ratelimits });
    const { control: own } = configsOf(`${EDGE}${CONTROL}${STORE}vars = { RINGFENCE_QUALITY = "{}" }`);
    expect(own).toMatchObject({
      kv_namespaces: [{ id: 'ours' }],
      vars: { RINGFENCE_STALE: 'serve', RINGFENCE_QUALITY: '{}' },
    });
  });

  test.each([
    ['r2_buckets', STORE.replace('bucket_name = "ours"', 'bucket_name = "theirs"')],
    ['kv_namespaces', STORE.replace('id = "ours"', 'id = "theirs"')],
    ['kv_namespaces', STORE.replace(/^kv.*\n/, '')],
    [
      'ratelimits',
      `${STORE}ratelimits = [{ name = "QUOTA_10", namespace_id = "1", simple = { limit = 1, period = 60 } }]`,
    ],
  ])('must not have other %s', (key, own) => {
    expect(() => configsOf(EDGE + CONTROL + own)).toThrow(`expected env.control.${key} to be as at the top level`);
  });
});
