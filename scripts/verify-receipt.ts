/** `npm run verify-receipt`: computes an answer again from its receipt, and compares. */
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { lookupAnswer } from '../src/api/lookup-docs.ts';
import { EMPTY_MANIFEST, type SegmentEntry } from '../src/format/manifest.ts';
import { openSegment, segmentsIn } from '../src/format/segment.ts';
import { type Bytes, FormatError } from '../src/lib/bytes.ts';
import { UNPACED } from '../src/lib/cooperate.ts';
import { dayOf } from '../src/lib/time.ts';
import { PastFinder } from '../src/lookup/as-of.ts';
import { Finder } from '../src/lookup/finder.ts';
import { SANDBOX_COMMIT, sandboxFinding } from '../src/lookup/sandbox.ts';
import { Snapshot } from '../src/lookup/snapshot.ts';
import { hasHistory } from '../src/merge/history.ts';
import { loadManifest } from '../src/merge/publish-manifest.ts';
import { parsePossible } from '../src/phone/parse.ts';
import type { PhoneNumber } from '../src/phone/phone-number.ts';
import type { Basis, DecisionReceipt, Finding, LookupAnswer } from '../src/policy/answer.ts';
import { compilePolicy } from '../src/policy/cel/compile.ts';
import { PolicyError } from '../src/policy/cel/error.ts';
import { decide } from '../src/policy/decide.ts';
import { LabelLevels } from '../src/policy/labels.ts';
import { Overrides } from '../src/policy/overrides.ts';
import type { ObjectStore, SliceStore } from '../src/storage/store.ts';
import { orHelp, parseArguments } from './command/arguments.ts';
import { UsageError } from './command/errors.ts';
import { openLocalStore } from './command/local-store.ts';
import { checkInputFile, statePath, userPath } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';
import { FsckError } from './fsck/findings.ts';

const HELP = `Makes the answer of a lookup again from its receipt, and compares the two.

  curl … -d '{"number": "+…", "receipt": true}' …/v1/lookup > answer.json
  npm run verify-receipt -- answer.json

  --state DIR   a state folder of npm start, or a copy of a deployment's objects in one  (default .ringfence/state)
  --help

An answer is made again, exactly, as long as the segments that its receipt names are there: for some three days, and in
any copy of them that you keep. After that it is held against what the store says today had been observed by the end of
that day. Stop the server first: two processes on one state folder make each other's reads and writes fail.

Exit status: 0 the answer is confirmed, 1 it is not, 2 it could not be looked at.
`;

interface Options {
  readonly file: string;
  /** Null: that of `npm start`. */
  readonly state: string | null;
}

/**
 * @param args as after the name of the script
 * @returns null if help is asked for
 * @throws UsageError naming the option
 */
function parseOptions(args: readonly string[]): Options | null {
  const { values, positionals } = parseArguments(args, OPTIONS, { positionals: true });
  if (values.help) return null;
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) {
    throw new UsageError('expected one file with the answer of a lookup; --help says more');
  }
  return { file, state: values.state ?? null };
}

const OPTIONS = {
  state: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

// An answer made again from its receipt.

interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
}

export type ReceiptedAnswer = LookupAnswer & { readonly receipt: DecisionReceipt };

interface Verification {
  /**
   * From the segments themselves, from what the store knows today of that day, or as numbers of the sandbox always are.
   */
  readonly from: 'segments' | 'day' | 'sandbox';
  /** Fields that come out differently; none: the answer is confirmed. */
  readonly differing: readonly string[];
}

/** What is not of the decision: when it was asked for, and what was asked for beside it. */
const ASIDE = new Set(['receipt', 'evidence', 'stale', 'ageSeconds']);
/** Of an earlier day, only this can be told: the generation is another, and so may be what came later on that day. */
const OF_THE_DAY = ['verdict', 'labels', 'channels', 'industries', 'firstSeen', 'action', 'rule'] as const;

/** @throws FsckError if the store does not hold what it takes */
export async function verifyReceipt(stores: Stores, answer: ReceiptedAnswer): Promise<Verification> {
  const subject = parsePossible(answer.number);
  if (!subject.ok) throw new FsckError('the answer names no phone number');
  const at = Date.parse(answer.receipt.decidedAt);
  const context = {
    ...stores,
    now: () => at,
    waitUntil: () => {},
    sleep: (ms: number) => setTimeout(ms),
    log: () => {},
  };
  const finder = new Finder(context);
  if (answer.receipt.commit === SANDBOX_COMMIT) {
    const found = sandboxFinding(subject.value.number, at);
    if (found === null) throw new FsckError('the receipt is of the sandbox, the number is not');
    const again = decideAgain(subject.value, found, answer);
    return { from: 'sandbox', differing: differing(answer, again, Object.keys({ ...answer, ...again })) };
  }
  const { generation, receipt } = answer;
  // The first tick has not published yet: there is nothing that could tell.
  const { manifest } = await loadManifest(stores.objects);
  if (generation !== 0 && !(await hasHistory(stores.objects, manifest, generation ?? 0, receipt.commit))) {
    throw new FsckError('the history of the store does not have the generation and commit that the answer names');
  }
  const snapshot = await receiptSnapshot(stores.objects, answer);
  if (snapshot !== null) {
    const found = await finder.findIn(snapshot, subject.value.number, at, { evidence: true, basis: true });
    const again = decideAgain(subject.value, found, answer);
    return { from: 'segments', differing: differing(answer, again, Object.keys({ ...answer, ...again })) };
  }
  const past = new PastFinder(finder, context);
  const found = await past.find(subject.value.number, { day: dayOf(at / 1000) }, { evidence: true });
  if (found.kind !== 'found') throw new FsckError('the store has no inventory');
  return { from: 'day', differing: differing(answer, decideAgain(subject.value, found.finding, answer), OF_THE_DAY) };
}

/** The inventory as far as the receipt names it, or null if one of its segments is not there any more. */
async function receiptSnapshot(
  objects: ObjectStore,
  { generation, receipt }: ReceiptedAnswer,
): Promise<Snapshot | null> {
  const entries: SegmentEntry[] = [];
  for (const named of receipt.segments) {
    const object = await objects.get(named.key);
    if (object === null) return null;
    const entry = await segmentNamed(named, object.bytes).catch((error: unknown) => {
      if (error instanceof FormatError) throw new FsckError(`${named.key} is no segment, or damaged`, { cause: error });
      throw error;
    });
    if (entry === null) throw new FsckError(`${named.key} is another segment than the receipt names`);
    entries.push(entry);
  }
  return new Snapshot({
    ...EMPTY_MANIFEST,
    generation: generation ?? 0,
    commit: receipt.commit,
    runs: entries.map((entry, i) => ({ id: String(i), newNumbers: 0, segments: [entry] })),
    missingSlices: entries.map(({ key }) => key),
  });
}

/** The segment of an object that a receipt names; null: it has others. Rejects with FormatError if one is damaged. */
async function segmentNamed(named: Basis['segments'][number], object: Bytes): Promise<SegmentEntry | null> {
  for (const { offset, file } of segmentsIn(object)) {
    const { shape, parts } = await openSegment(file, UNPACED);
    const hashes = [shape.numbers.sha256, parts.verdicts.sha256, parts.evidenceIndex.sha256];
    if (hashes.join() === [named.numbers, named.verdicts, named.evidence].join()) {
      return { key: named.key, offset, ...shape };
    }
  }
  return null;
}

function decideAgain(subject: PhoneNumber, finding: Finding, answer: ReceiptedAnswer): LookupAnswer {
  const { receipt, override } = answer;
  const { number } = subject;
  const overrides =
    override === undefined
      ? Overrides.none
      : Overrides.of([
          {
            number,
            list: override.list,
            scope: override.scope,
            expiresAt: override.expiresAt === null ? null : Date.parse(override.expiresAt),
          },
        ]);
  return decide(
    subject,
    { ...finding, ageSeconds: 0 },
    {
      policy: policyOf(receipt),
      overrides,
      levels: new LabelLevels(receipt.levels, receipt.unknownLabel),
      now: Date.parse(receipt.decidedAt),
      scenario: receipt.scenario,
      evidence: false,
    },
  );
}

function policyOf({ policy }: DecisionReceipt) {
  try {
    return compilePolicy(policy);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new FsckError('the receipt names a policy that no tenant can have had: it does not compile', {
      cause: error,
    });
  }
}

function differing(answer: LookupAnswer, again: LookupAnswer, fields: readonly string[]): string[] {
  const [given, made] = [new Map(Object.entries(answer)), new Map(Object.entries(again))];
  const same = (field: string) => JSON.stringify(given.get(field)) === JSON.stringify(made.get(field));
  return fields.filter((field) => !ASIDE.has(field) && !same(field));
}

const EXIT_DIFFERS = 1;
const EXIT_NOT_LOOKED = 2;

const FROM = {
  sandbox: 'a number of the sandbox, which always answers so',
  segments: 'made again from the segments that the receipt names',
  day: 'held against what the store knows today of that day (segments of the receipt are gone)',
};

/** @throws FsckError naming what was expected; nothing of the file is quoted, since it names a number */
function readAnswer(file: string): ReceiptedAnswer {
  let value: unknown;
  checkInputFile(file);
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new FsckError(`${file} cannot be read as JSON`, { cause: error });
  }
  const parsed = v.safeParse(lookupAnswer, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new FsckError(`${file} is no answer of a lookup: ${v.getDotPath(issue) ?? 'it'} is not as expected`);
  }
  const { receipt } = parsed.output;
  if (receipt === undefined) throw new FsckError(`${file} has no receipt: ask for one with "receipt": true`);
  return { ...parsed.output, receipt };
}

async function main(): Promise<number> {
  const options = orHelp(parseOptions(process.argv.slice(2)), HELP);
  if (options === null) return 0;
  const answer = readAnswer(userPath(options.file));
  const store = await openLocalStore(statePath(options.state ?? undefined), {
    command: 'npm run verify-receipt',
    create: false,
  });
  try {
    const { from, differing } = await verifyReceipt(store, answer);
    const { verdict, action, rule, generation, receipt } = answer;
    console.log(`${verdict}, ${action} by ${rule}, generation ${generation}, ${receipt.decidedAt}`);
    console.log(
      differing.length === 0 ? `confirmed: ${FROM[from]}` : `differs in ${differing.join(', ')}: ${FROM[from]}`,
    );
    return differing.length === 0 ? 0 : EXIT_DIFFERS;
  } finally {
    await store.close();
  }
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: EXIT_NOT_LOOKED });
