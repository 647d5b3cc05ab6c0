/** Phase 1: all pieces of all inputs, those that an earlier run of the build has done left out. */
import { inParallel } from './in-parallel.ts';
import { type Input, type InputRange, rangesOf, wholeFile } from './inputs.ts';
import type { Journal } from './journal.ts';
import { type ParsedRange, rangeName } from './parse-range.ts';
import type { BuildProgress } from './progress.ts';
import type { TaskRunner } from './tasks.ts';

export interface ParsedInput {
  readonly input: Input;
  readonly ranges: readonly { readonly range: InputRange; readonly parsed: ParsedRange }[];
}

export interface ParseRequest {
  readonly inputs: readonly Input[];
  readonly folder: string;
  readonly labels: readonly string[];
  readonly rangeBytes?: number;
  readonly maxBatchRows?: number;
}

/** The pieces of each input, in order. Stopped anywhere, a piece is in the journal, or is done again. */
export async function parseInputs(
  request: ParseRequest,
  journal: Journal,
  runner: TaskRunner,
  progress: BuildProgress,
): Promise<ParsedInput[]> {
  const { inputs, folder, labels } = request;
  const total = inputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  progress.begin('reading', total, 'rows');
  const whole = new Set(journal.all('whole').map(({ input }) => input));
  const plan = () =>
    inputs.flatMap((input, i) => (whole.has(i) ? [wholeFile(i)] : rangesOf(input, i, request.rangeBytes)));
  const done = new Map<string, ParsedRange>(journal.all('parsed').map((entry) => [entry.range, entry]));
  const parse = async (range: InputRange) => {
    const input = inputs[range.input];
    if (input === undefined || done.has(rangeName(range)) || isObsolete(range, whole)) return;
    const maxBatchRows = request.maxBatchRows;
    const task = {
      kind: 'parse' as const,
      input,
      range,
      folder,
      labels,
      nowMs: journal.beganMs,
      ...(maxBatchRows !== undefined && { maxBatchRows }),
    };
    const parsed = await runner.run<'parse'>(task, ({ bytes, rows }) => progress.advance(bytes, rows));
    if (parsed === 'needs-whole-file') {
      if (!whole.has(range.input)) journal.add({ event: 'whole', input: range.input });
      whole.add(range.input);
      return;
    }
    const { lines, accepted, undated, rejectedByCode, batches } = parsed;
    journal.add({
      event: 'parsed',
      range: rangeName(range),
      lines,
      accepted,
      undated,
      rejectedByCode: { ...rejectedByCode },
      batches: [...batches],
    });
    done.set(rangeName(range), parsed);
  };
  await inParallel(plan(), runner.threads, parse);
  // Files that turned out to need it are read again, as a whole; the second plan has only those left to do.
  await inParallel(plan(), runner.threads, parse);
  return inputs.map((input, i) => ({
    input,
    ranges: plan()
      .filter((range) => range.input === i)
      .map((range) => ({ range, parsed: parsedOf(done, range) })),
  }));
}

/** Whether the piece is one of a file that is read as a whole. */
function isObsolete(range: InputRange, whole: ReadonlySet<number>): boolean {
  return whole.has(range.input) && !range.isWhole;
}

function parsedOf(done: ReadonlyMap<string, ParsedRange>, range: InputRange): ParsedRange {
  const parsed = done.get(rangeName(range));
  if (parsed === undefined) throw new Error(`piece ${rangeName(range)} was not read`);
  return parsed;
}
