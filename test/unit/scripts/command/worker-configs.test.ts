import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workerConfigs } from '../../../../scripts/command/worker-configs.ts';

const EDGE = `name = "shop"
main = "edge.ts"
services = [{ binding = "CONTROL", service = "shop-control" }]
kv_namespaces = [{ binding = "SLICES", id = "ours" }]
r2_buckets = [{ binding = "STORE", bucket_name = "ours" }]
vars = { RINGFENCE_STALE = "serve" }
`;
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
    const { control: own } = configsOf(`${EDGE}${CONTROL}vars = { RINGFENCE_QUALITY = "{}" }`);
    expect(own).toMatchObject({
      kv_namespaces: [{ id: 'ours' }],
      vars: { RINGFENCE_STALE: 'serve', RINGFENCE_QUALITY: '{}' },
    });
  });

  test.each([
    ['r2_buckets', '[{ binding = "STORE", bucket_name = "theirs" }]'],
    ['kv_namespaces', '[{ binding = "SLICES", id = "theirs" }]'],
    ['ratelimits', '[{ name = "QUOTA_10", namespace_id = "1", simple = { limit = 1, period = 60 } }]'],
  ])('gets no %s of its own, which would be passed over', (key, value) => {
    expect(() => configsOf(`${EDGE}${CONTROL}${key} = ${value}`)).toThrow(
      `expected no env.control.${key}; both Workers have those of the top level`,
    );
  });
});
