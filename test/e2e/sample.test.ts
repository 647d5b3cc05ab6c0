import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExpectedInventory, unlistedNumbers } from './expected.ts';
import { type LocalServer, pasteCurlLines, startServer } from './local-server.ts';

const state = mkdtempSync(join(tmpdir(), 'ringfence-sample-'));
const expected = new ExpectedInventory();
let server: LocalServer;

beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve('@ip1sms/disposable-phone-numbers');
  const sample = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  for (const [digits, day] of Object.entries(sample)) expected.add(digits, day, day, 1);
  server = await startServer(state);
}, 120_000);

afterAll(async () => {
  await server.stop();
  rmSync(state, { recursive: true });
}, 30_000);

describe('npm start in an empty state folder', () => {
  test('imports the sample: every valid number is known, exactly, and as bad as its age makes it', async () => {
    expect(expected.numbers.size).toBeGreaterThan(90_000);
    expect(await server.call('/v1/status')).toMatchObject({
      inventory: { numbers: expected.numbers.size, active: expected.numbers.size },
      waiting: { batches: 0, detections: 0 },
    });
    expect(server.output).toMatch(new RegExp(`rejected +${expected.rejected}\n`));
    const day = new Date().toISOString().slice(0, 10);
    const answers = await server.lookupAll([...expected.numbers.keys()]);
    expect(answers).toHaveLength(expected.numbers.size);
    expect(expected.differences(answers, day)).toEqual([]);
    console.info(`sample: ${answers.length} numbers answered exactly, ${expected.rejected} lines rejected`);
  }, 120_000);

  test('lists none of 10,000 random valid numbers that are not in it', async () => {
    const answers = await server.lookupAll(unlistedNumbers(10_000, expected, 20_261_122));
    expect(answers).toHaveLength(10_000);
    expect(answers.filter(({ verdict }) => verdict !== 'clear' && verdict !== 'suspect')).toEqual([]);
  }, 60_000);

  test('counts neighbours as a plain list does', async () => {
    const listed = [...expected.numbers.keys()].map(Number).sort((a, b) => a - b);
    const some = listed.filter((_, i) => i % 97 === 0);
    const answers = await server.lookupAll(some.map((number) => `+${number}`));
    for (const [i, { neighbourhood }] of answers.entries()) {
      const number = some[i] ?? 0;
      const others = (size: number) => {
        const from = number - (number % size);
        return listed.filter((other) => other >= from && other < from + size).length - 1;
      };
      expect({ hundred: neighbourhood.hundred, thousand: neighbourhood.thousand }).toEqual({
        hundred: others(100),
        thousand: others(1000),
      });
    }
  }, 60_000);

  test('prints three curl lines that work', async () => {
    const answers = await pasteCurlLines(server.output);
    expect(answers).toHaveLength(3);
    expect(answers[0]).toMatchObject({ verdict: 'listed', labels: ['public_sms_receiver'] });
    expect(answers[1]).toMatchObject({ accepted: 1, rejected: 0 });
    expect(answers[2]).toMatchObject({ generation: 1, inventory: { numbers: expected.numbers.size } });
    await server.tick();
    expect(await server.call('/v1/lookup', { number: '+1 202-555-0123' })).toMatchObject({
      verdict: 'listed',
      labels: ['modem_pool_card'],
      level: 9,
      action: 'block',
      sightings: 1,
    });
  }, 30_000);

  test('keeps its store over a restart and does not import again', async () => {
    await server.stop();
    server = await startServer(state);
    expect(server.output).not.toContain('importing');
    expect(await server.call('/v1/status')).toMatchObject({ inventory: { numbers: expected.numbers.size + 1 } });
  }, 60_000);
});
