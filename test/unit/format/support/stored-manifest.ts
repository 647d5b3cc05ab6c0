/** A manifest with the names that are stored, as golden vectors have its content, and with those of memory. */
import type { Manifest } from '../../../../src/format/manifest.ts';

type Members = Readonly<Record<string, unknown>>;
/** The members of a manifest under their stored names, with its segments in place of their numbers. */
export type StoredManifest = Members & { readonly runs: readonly Members[] };

const NAMES = [
  ['unsliced', 'missingSlices'],
  ['facts', 'activity'],
  ['reached', 'watermarks'],
  ['firstHere', 'newNumbers'],
] as const;

function renamed(members: object, names: ReadonlyMap<string, string>): Members {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [names.get(name) ?? name, value]));
}

export function storedManifest(manifest: Manifest): StoredManifest {
  const names = new Map<string, string>(NAMES.map(([stored, inMemory]) => [inMemory, stored]));
  return { ...renamed(manifest, names), runs: manifest.runs.map((run) => renamed(run, names)) };
}

export function manifestInMemory(stored: StoredManifest): Manifest {
  const names = new Map<string, string>(NAMES);
  const runs = stored.runs.map((run) => renamed(run, names));
  return { ...renamed(stored, names), runs } as unknown as Manifest;
}
