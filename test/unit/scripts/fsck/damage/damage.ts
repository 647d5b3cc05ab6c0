/** A way to break a store, and what must be found then. */
import { encodeHistory } from '../../../../../src/merge/history.ts';
import type { World } from '../../../../support/world.ts';
import { manifestOf } from '../support.ts';

export interface Damage {
  /** Breaks the store and returns the problems that must be found. */
  readonly breaks: (world: World) => Promise<readonly string[]>;
  /** Of the words of the first of them. */
  readonly says: RegExp;
  readonly store?: () => Promise<World>;
}

export type Damages = Readonly<Record<string, Damage>>;

export const error = (check: string, key: string) => `error: ${check}: ${key}`;

export async function deleted(world: World, key: string): Promise<string> {
  await world.objects.memory.delete([key]);
  return key;
}

/** Writes the history of a generation anew. */
export async function rewriteHistory(
  world: World,
  key: string,
  batches: string[],
  replayed: string[] = [],
): Promise<void> {
  const [generation = '', ...commit] = key.slice('history/'.length).split('-');
  const { retained } = await manifestOf(world);
  const parent = retained.find((entry) => entry.generation === Number(generation) - 1)?.commit ?? null;
  const entry = { generation: Number(generation), commit: commit.join('-'), parent, writtenAt: world.clock };
  await world.objects.memory.put(key, encodeHistory([{ ...entry, batches, replayed }]));
}
