/** Facts objects: there, whole, as the manifest says, and their rows in order; one object in memory at a time. */
import { GrowingFacts } from '../../src/format/facts-columns.ts';
import type { FactsDirectory } from '../../src/format/facts-directory.ts';
import { FoldedKinds } from '../../src/format/facts-fold.ts';
import { type FactsInput, openFactsObject, readFactsBlock } from '../../src/format/facts-open.ts';
import { FormatError } from '../../src/format/frame.ts';
import type { FactsEntry, Manifest } from '../../src/format/manifest.ts';
import { messageOf } from '../../src/merge/context.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import type { Check } from './findings.ts';
import { type Look, REBUILD } from './look.ts';

const REMEDY = `Lookups are right; briefings of its days cannot be made. ${REBUILD}`;

/** Every facts object of the current generation. */
export async function checkFacts({ objects, findings, progress }: Look, { facts }: Manifest): Promise<void> {
  const check = findings.begin('facts');
  progress.begin('facts', facts.length);
  for (const entry of facts) {
    await checkFactsObject(objects, entry, check, REMEDY);
    progress.advance();
  }
}

export async function checkFactsObject(
  objects: ObjectStore,
  entry: FactsEntry,
  check: Check,
  remedy: string,
): Promise<void> {
  check.looked += 1;
  try {
    const object = await objects.get(entry.key);
    if (object === null) throw new RangeError('is missing');
    inspectFacts(openFactsObject(object.bytes, entry));
  } catch (error) {
    check.error(entry.key, messageOf(error), remedy);
  }
}

/** Throws FormatError, without a number in its message, unless all blocks can be read and agree with the directory. */
function inspectFacts(input: FactsInput): void {
  const { blocks, kinds } = input.directory;
  const folded = new FoldedKinds([input.directory]);
  const numbering = folded.numbersOf(input.directory);
  const columns = new GrowingFacts();
  const firstDay = new Float64Array(kinds.length).fill(Number.POSITIVE_INFINITY);
  const lastDay = new Float64Array(kinds.length).fill(-1);
  let previousDay = -1;
  let previousRow: readonly number[] = [];
  for (let index = 0; index < blocks.length; index++) {
    readFactsBlock(input, index, numbering, columns);
    const day = blocks[index]?.day ?? 0;
    if (day === previousDay && compare(previousRow, rowOf(columns, 0)) >= 0) {
      throw new FormatError(`block ${index} is out of order`);
    }
    previousDay = day;
    previousRow = rowOf(columns, columns.rows - 1);
    for (let row = 0; row < columns.rows; row++) {
      const kind = columns.kind[row] as number;
      firstDay[kind] = Math.min(firstDay[kind] as number, day);
      lastDay[kind] = day;
    }
  }
  checkSpans(folded, input.directory, firstDay, lastDay);
}

function rowOf({ numbers, kind, linkHigh, linkLow }: GrowingFacts, row: number): number[] {
  return [numbers[row], kind[row], linkHigh[row], linkLow[row]].map((value) => value ?? 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  return a.map((value, i) => value - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function checkSpans(folded: FoldedKinds, directory: FactsDirectory, firstDay: Float64Array, lastDay: Float64Array) {
  const wrong = folded.spans.findIndex((span, id) => span.firstDay !== firstDay[id] || span.lastDay !== lastDay[id]);
  if (wrong >= 0) {
    throw new FormatError(
      `expected the days of each of its ${directory.kinds.length} kinds, found others of kind ${wrong}`,
    );
  }
}
