import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkPort, freePort, HOST } from '../../../../scripts/local/port.ts';

const taken = createServer();
let port = 0;

beforeAll(async () => {
  await new Promise<void>((listening) => taken.listen(0, HOST, listening));
  port = (taken.address() as AddressInfo).port;
});
afterAll(() => taken.close());

test('a free port is none that a system gives to whoever asks for any, and can be listened on', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  // Linux hands out 32768 and above, other systems 49152 and above.
  for (const one of ports) expect(one).toBeGreaterThanOrEqual(16_384);
  for (const one of ports) expect(one).toBeLessThan(32_768);
  // Two processes that ask at the same time hardly ever get the same.
  expect(new Set(ports).size).toBeGreaterThan(40);
  await expect(checkPort('--port', ports[0] ?? 0)).resolves.toBeUndefined();
});

test('a port that is taken is told with the option that chooses another', async () => {
  await expect(checkPort('--port', port)).rejects.toThrow(
    new RegExp(`^port ${port} is taken.*; choose another with --port$`),
  );
});
