/** Phase 2, its end: which part of the facts, by days, each task folds; those that are there already left out. */
import { OBJECT_BYTES } from '../../src/merge/facts-objects.ts';
import { type FactsPart, openPiece, type SpilledFacts } from './fold-facts.ts';
import { inParallel } from './in-parallel.ts';
import type { Journal } from './journal.ts';
import type { BuildProgress } from './progress.ts';
import type { TaskRunner } from './tasks.ts';

interface Job {
  readonly folder: string;
  readonly runner: TaskRunner;
  readonly progress: BuildProgress;
}

/** Stopped anywhere, a part is in the journal, or is made again to the same bytes. */
export async function foldFacts({ folder, runner, progress }: Job, journal: Journal): Promise<SpilledFacts[]> {
  const pieces = journal.all('folded').flatMap(({ facts }) => facts);
  const parts = planParts(folder, pieces);
  const done = new Map(journal.all('facts').map(({ part, objects }) => [part, objects]));
  progress.begin(
    'sorting by day',
    pieces.reduce((sum, { shape }) => sum + shape.rows, 0),
    'facts',
  );
  await inParallel(parts, runner.threads, async (part, index) => {
    if (done.has(index)) return;
    const objects = await runner.run<'facts'>({ kind: 'facts', folder, index, part }, () => {});
    journal.add({ event: 'facts', part: index, objects: [...objects] });
    done.set(index, [...objects]);
    const rows = objects.reduce((sum, { shape }) => sum + shape.rows, 0);
    progress.advance(rows, rows);
  });
  return parts.flatMap((_, index) => done.get(index) ?? []);
}

/** Parts of about an object each, so that a thread holds little more. */
function planParts(folder: string, pieces: readonly SpilledFacts[], partBytes = OBJECT_BYTES): FactsPart[] {
  const byDay = new Map<number, Map<SpilledFacts, number>>();
  for (const piece of pieces) {
    for (const { day, bytes } of openPiece(folder, piece).directory.blocks) {
      const ofDay = byDay.get(day) ?? new Map<SpilledFacts, number>();
      byDay.set(day, ofDay.set(piece, (ofDay.get(piece) ?? 0) + bytes));
    }
  }
  const parts: FactsPart[] = [];
  let open: { from: number; to: number; pieces: Set<SpilledFacts>; bytes: number } | null = null;
  const close = () => {
    if (open !== null) parts.push({ from: open.from, to: open.to, pieces: [...open.pieces] });
    open = null;
  };
  for (const [day, ofDay] of [...byDay].sort(([a], [b]) => a - b)) {
    const dayBytes = [...ofDay.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (open !== null && open.bytes + dayBytes > partBytes) close();
    for (const [piece, bytes] of ofDay) {
      // Only a day that is alone in its part is ever too large for it.
      if (open !== null && dayBytes > partBytes && open.bytes + bytes > partBytes) close();
      open ??= { from: day, to: day, pieces: new Set(), bytes: 0 };
      open.to = day;
      open.pieces.add(piece);
      open.bytes += bytes;
    }
    if (dayBytes > partBytes) close();
  }
  close();
  return parts;
}
