/** An answer made again from its receipt. */
import { setTimeout } from 'node:timers/promises';
import { FormatError } from '../../src/format/frame.ts';
import { EMPTY_MANIFEST, type SegmentEntry } from '../../src/format/manifest.ts';
import { dayOf } from '../../src/format/records.ts';
import { openSegment } from '../../src/format/segment.ts';
import { SANDBOX_COMMIT, sandboxFinding } from '../../src/http/sandbox.ts';
import { hasHistory } from '../../src/merge/history.ts';
import { parseNumber } from '../../src/number/parse.ts';
import type { PhoneNumber } from '../../src/number/phone-number.ts';
import type { LookupAnswer } from '../../src/policy/answer.ts';
import { compilePolicy, PolicyError } from '../../src/policy/cel/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import type { Basis, Finding } from '../../src/policy/finding.ts';
import { LabelLevels } from '../../src/policy/labels.ts';
import { Overrides } from '../../src/policy/overrides.ts';
import type { DecisionReceipt } from '../../src/policy/receipt.ts';
import { Finder } from '../../src/serve/finder.ts';
import { PastFinder } from '../../src/serve/past-finder.ts';
import { Snapshot } from '../../src/serve/snapshot.ts';
import type { ObjectStore, SliceStore } from '../../src/store/store.ts';
import { LookError } from '../fsck/look.ts';

export interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
}

export type ReceiptedAnswer = LookupAnswer & { readonly receipt: DecisionReceipt };

export interface Verification {
  /** From the segments themselves, from what the store knows today of that day, or as numbers of the sandbox always are. */
  readonly from: 'segments' | 'day' | 'sandbox';
  /** Fields that come out differently; none: the answer is confirmed. */
  readonly differing: readonly string[];
}

/** What is not of the decision: when it was asked for, and what was asked for beside it. */
const ASIDE = new Set(['receipt', 'evidence', 'stale', 'ageSeconds']);
/** Of an earlier day, only this can be told: the generation is another, and so may be what came later on that day. */
const OF_THE_DAY = ['verdict', 'labels', 'channels', 'industries', 'firstSeen', 'action', 'rule'] as const;

/** @throws LookError if the store does not hold what it takes */
export async function verifyReceipt(stores: Stores, answer: ReceiptedAnswer): Promise<Verification> {
  const subject = parseNumber(answer.number);
  if (!subject.ok) throw new LookError('the answer names no phone number');
  const at = Date.parse(answer.receipt.decidedAt);
  const context = {
    ...stores,
    now: () => at,
    background: () => {},
    delay: (ms: number) => setTimeout(ms),
    log: () => {},
  };
  const finder = new Finder(context);
  if (answer.receipt.commit === SANDBOX_COMMIT) {
    const found = sandboxFinding(subject.value.number, at);
    if (found === null) throw new LookError('the receipt is of the sandbox, the number is not');
    const again = decideAgain(subject.value, found, answer);
    return { from: 'sandbox', differing: differing(answer, again, Object.keys({ ...answer, ...again })) };
  }
  const { generation, receipt } = answer;
  // The first tick has not published yet: there is nothing that could tell.
  if (generation !== 0 && !(await hasHistory(stores.objects, generation ?? 0, receipt.commit))) {
    throw new LookError('the history of the store does not have the generation and commit that the answer names');
  }
  const snapshot = await receiptSnapshot(stores.objects, answer);
  if (snapshot !== null) {
    const found = await finder.findIn(snapshot, subject.value.number, at, { evidence: true, basis: true });
    const again = decideAgain(subject.value, found, answer);
    return { from: 'segments', differing: differing(answer, again, Object.keys({ ...answer, ...again })) };
  }
  const past = new PastFinder(finder, context);
  const found = await past.find(subject.value.number, { day: dayOf(at / 1000) }, { evidence: true });
  if (found.kind !== 'found') throw new LookError('the store has no inventory');
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
    const { shape } = await openSegment(object.bytes).catch((error: unknown) => {
      if (error instanceof FormatError) throw new LookError(`${named.key} is no segment, or damaged`, { cause: error });
      throw error;
    });
    if (!isNamed(named, { key: named.key, ...shape })) {
      throw new LookError(`${named.key} is another segment than the receipt names`);
    }
    entries.push({ key: named.key, ...shape });
  }
  return new Snapshot({
    ...EMPTY_MANIFEST,
    generation: generation ?? 0,
    commit: receipt.commit,
    runs: entries.map((entry, i) => ({ id: String(i), firstHere: 0, segments: [entry] })),
    unsliced: entries.map(({ key }) => key),
  });
}

function isNamed(named: Basis['segments'][number], { numbers, verdicts, evidenceIndex }: SegmentEntry): boolean {
  return (
    named.numbers === numbers.sha256 && named.verdicts === verdicts.sha256 && named.evidence === evidenceIndex.sha256
  );
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
    throw new LookError('the receipt names a policy that no tenant can have had: it does not compile', {
      cause: error,
    });
  }
}

function differing(answer: LookupAnswer, again: LookupAnswer, fields: readonly string[]): string[] {
  const [given, made] = [new Map(Object.entries(answer)), new Map(Object.entries(again))];
  const same = (field: string) => JSON.stringify(given.get(field)) === JSON.stringify(made.get(field));
  return fields.filter((field) => !ASIDE.has(field) && !same(field));
}
