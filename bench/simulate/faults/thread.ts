/** A thread that runs seeds: portions come in, what became of them goes out. */
import { parentPort } from 'node:worker_threads';
import type { Told } from './command.ts';
import { replacePlatform } from './platform.ts';
import { runSeed } from './run-seed.ts';

replacePlatform();

parentPort?.on('message', async (seeds: readonly number[]) => {
  const told: Told[] = [];
  for (const one of seeds) {
    const { seed, violation, sha256, figures } = await runSeed(one);
    told.push({ seed, violation, sha256, figures });
  }
  parentPort?.postMessage(told);
});
