/** The generations that a rollback can return to: their manifests, and the segments that only they name. */

import {
  type ActivityEntry,
  decodeManifest,
  type Manifest,
  type RetainedGeneration,
  type SegmentEntry,
} from '../../src/format/manifest.ts';
import { manifestOfCopy } from '../../src/format/parcel.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { loggableMessage, messageOf } from '../../src/lib/errors.ts';
import { readSetAside, setAsideKeys } from '../../src/merge/failing-batches.ts';
import { readWithdrawals } from '../../src/merge/withdraw.ts';
import { readLedger } from '../../src/quality/ledger.ts';
import {
  ACTIVITY_PREFIX,
  COMPACTION_PREFIX,
  generationKey,
  HISTORY_PREFIX,
  LEDGER_PREFIX,
  MANIFEST_KEY,
  RETAINED_PREFIX,
  SEGMENT_PREFIX,
  SET_ASIDE_PREFIX,
  WITHDRAWALS_PREFIX,
} from '../../src/storage/keys.ts';
import { partOf } from '../../src/storage/parts.ts';
import { type Check, type FsckContext, listObjects, listSlices } from './findings.ts';
import type { History } from './history.ts';
import { checkOutput, contradictions, type ReadManifest, segmentsInUse, type WithOutput } from './manifest.ts';
import { checkActivityObject, checkSegment, SHAPE_FIELDS } from './segments.ts';

/** What is not garbage. */
interface Named {
  readonly manifests: ReadonlySet<string>;
  readonly segments: ReadonlySet<string>;
  readonly activity: ReadonlySet<string>;
  readonly compactions: ReadonlySet<string>;
  readonly ledgers: ReadonlySet<string>;
  readonly setAside: ReadonlySet<string>;
  /** Of withdrawals. */
  readonly lists: ReadonlySet<string>;
  readonly slices: ReadonlySet<string>;
}

/**
 * Checks all retained manifests and every segment that they name and the current one does not. One of these manifests
 * is in memory at a time.
 */
export async function checkRetained(context: FsckContext, current: ReadManifest): Promise<Named> {
  const check = context.findings.begin('retained generations');
  const segments = new NamedSegments(context);
  const activity = new NamedActivity(context, current.manifest);
  const { generation, commit, retained } = current.manifest;
  const ledgers = new Set(current.manifest.ledger === null ? [] : [current.manifest.ledger]);
  const setAside = new Set(setAsideKeys(current.manifest));
  const lists = new Set<string>();
  segments.addCurrent(current);
  const compactions = new Set(outputKeys(current.manifest));
  await addJob(context, current.manifest, { segments, activity, lists }, check);
  context.progress.begin('retained generations', retained.length);
  let before: Manifest | null = null;
  for (const entry of retained) {
    const read = await readRetained(context, entry, check);
    if (read === null) continue;
    const { manifest } = read;
    checkParent(before, manifest, check);
    for (const key of outputKeys(manifest)) compactions.add(key);
    await segments.checkAndAdd(read);
    await activity.checkAndAdd(manifest);
    if (manifest.ledger !== null && !ledgers.has(manifest.ledger)) {
      await checkItsList(manifest, check, manifest.ledger, () => readLedger(context.objects, manifest, UNPACED));
      ledgers.add(manifest.ledger);
    }
    const { key } = manifest.setAside;
    const keys = setAsideKeys(manifest);
    if (key !== null && keys.some((one) => !setAside.has(one))) {
      await checkItsList(manifest, check, key, () => readSetAside(context.objects, manifest, UNPACED));
      for (const one of keys) setAside.add(one);
    }
    if (manifest.withdrawals !== null && !lists.has(manifest.withdrawals.key)) {
      await checkItsList(manifest, check, manifest.withdrawals.key, () => readWithdrawals(context.objects, manifest));
      lists.add(manifest.withdrawals.key);
    }
    before = manifest;
    context.progress.advance();
  }
  checkParent(before, current.manifest, check);
  if (current.object !== null) await checkOwnCopy(context, current, check);
  const manifests = [...retained, { generation, commit }].map((entry) => copyKey(entry));
  // What is a part of a copy keeps that.
  const withParts = [...segments.keys, ...activity.keys, ...ledgers].flatMap((key) => partOf(key)?.object ?? []);
  return {
    manifests: new Set([...manifests, ...withParts]),
    segments: segments.keys,
    activity: activity.keys,
    compactions,
    ledgers,
    setAside,
    lists,
    slices: segments.slices,
  };
}

/** What taking batches out of the inventory has made so far is no garbage. */
async function addJob(
  { objects }: FsckContext,
  manifest: Manifest,
  { segments, activity, lists }: { segments: NamedSegments; activity: NamedActivity; lists: Set<string> },
  check: Check,
): Promise<void> {
  if (manifest.withdrawals === null) return;
  lists.add(manifest.withdrawals.key);
  try {
    const { job } = await readWithdrawals(objects, manifest);
    for (const entry of job?.side ?? []) segments.add(entry);
    for (const entry of [...(job?.sideFacts ?? []), ...(job?.facts?.output ?? [])]) activity.add(entry);
  } catch (error) {
    const remedy = 'No batch can be withdrawn, and no rollback made, until it is back: put it back from a copy.';
    check.error(manifest.withdrawals.key, messageOf(error), remedy);
  }
}

/** Its ledger, or what it has set aside: a rollback reads both. */
async function checkItsList(
  manifest: Manifest,
  check: Check,
  key: string,
  read: () => Promise<unknown>,
): Promise<void> {
  try {
    await read();
  } catch (error) {
    const remedy = `Lookups are right. A rollback to generation ${manifest.generation} will fail.`;
    check.error(key, messageOf(error), remedy);
  }
}

/** Of the object that lists what its compaction has written. */
function outputKeys({ compaction }: Manifest): string[] {
  return compaction === null || compaction.output.key === null ? [] : [compaction.output.key];
}

function copyKey({ generation, commit }: Pick<Manifest, 'generation' | 'commit'>): string {
  return generationKey(RETAINED_PREFIX, generation, commit);
}

/** A published generation always has its copy, byte for byte: the next one's rollback returns to it. */
async function checkOwnCopy({ objects }: FsckContext, { manifest, object }: ReadManifest, check: Check): Promise<void> {
  const key = copyKey(manifest);
  const remedy = `Put a copy of the object ${MANIFEST_KEY} there, or no rollback can return to this generation.`;
  check.looked += 1;
  const copy = await objects.get(key);
  if (copy === null) check.error(key, 'is missing: the copy of the current manifest', remedy);
  else if (object !== null && Buffer.compare(manifestOfCopy(copy.bytes), manifestOfCopy(object.bytes)) !== 0) {
    check.error(key, 'is not a copy of the current manifest', remedy);
  }
}

async function readRetained(
  { objects }: FsckContext,
  entry: RetainedGeneration,
  check: Check,
): Promise<WithOutput | null> {
  const key = copyKey(entry);
  const remedy =
    `Do not roll back to generation ${entry.generation}. Lookups are right; ` +
    'garbage is not collected until this generation is no longer retained.';
  check.looked += 1;
  try {
    const object = await objects.get(key);
    if (object === null) throw new RangeError('is missing');
    const manifest = decodeManifest(object.bytes);
    const isIt = (['generation', 'commit', 'publishedAt'] as const).every((field) => manifest[field] === entry[field]);
    if (!isIt) throw new RangeError(`is the manifest of generation ${manifest.generation}, commit ${manifest.commit}`);
    const output = await checkOutput(objects, manifest, check, UNCOLLECTED);
    for (const problem of contradictions(manifest, output)) check.error(key, problem, remedy);
    return { manifest, output };
  } catch (error) {
    check.error(key, loggableMessage(error), remedy);
    return null;
  }
}

const UNCOLLECTED =
  'Lookups are right, and a rollback has no use for it; garbage is not collected until no retained generation names it.';

/** Of two generations in a row, the later one's parent is the earlier one. */
function checkParent(before: Manifest | null, manifest: Manifest, check: Check): void {
  const { generation, parent } = manifest;
  if (before === null || before.generation !== generation - 1 || before.commit === parent) return;
  const what = `has parent ${parent}, but generation ${before.generation} is commit ${before.commit}`;
  const remedy = 'Two histories were mixed: do not roll back. FsckContext for a second Worker on this bucket.';
  check.error(copyKey(manifest), what, remedy);
}

/** The segments of the current generation and of all retained ones, each looked at once. */
class NamedSegments {
  /** Key and offset of the segment -> what the first manifest that names it says of it. */
  readonly #shapes = new Map<string, string>();
  readonly #objects = new Set<string>();
  readonly slices = new Set<string>();
  readonly #context: FsckContext;
  readonly #check: Check;

  constructor(context: FsckContext) {
    this.#context = context;
    this.#check = context.findings.begin('segments only they name');
  }

  get keys(): ReadonlySet<string> {
    return this.#objects;
  }

  /** Those that have been looked at already. */
  addCurrent({ manifest, output }: ReadManifest): void {
    for (const entry of segmentsInUse(manifest, output)) this.add(entry);
  }

  async checkAndAdd({ manifest, output }: WithOutput): Promise<void> {
    const remedy = `Lookups are right. Do not roll back to generation ${manifest.generation}.`;
    for (const entry of segmentsInUse(manifest, output)) {
      const kind = this.add(entry);
      if (kind === 'new') await checkSegment(this.#context.objects, entry, this.#check, remedy);
      if (kind === 'different') {
        this.#check.error(copyKey(manifest), `says of ${entry.key} what another manifest does not`, remedy);
      }
    }
  }

  add(entry: SegmentEntry): 'new' | 'same' | 'different' {
    const shape = JSON.stringify(SHAPE_FIELDS.map((field) => entry[field]));
    const place = `${entry.key} ${entry.offset}`;
    const known = this.#shapes.get(place);
    if (known !== undefined) return known === shape ? 'same' : 'different';
    this.#shapes.set(place, shape);
    this.#objects.add(entry.key);
    this.slices.add(entry.numbers.sha256);
    if (entry.parts !== null) this.slices.add(entry.parts.verdicts.sha256);
    return 'new';
  }
}

/** The activity objects of the current generation, looked at already, and of all retained ones, each looked at once. */
class NamedActivity {
  readonly #entries: Map<string, ActivityEntry>;
  readonly #context: FsckContext;
  readonly #check: Check;

  constructor(context: FsckContext, current: Manifest) {
    this.#context = context;
    this.#check = context.findings.begin('activity only they name');
    this.#entries = new Map(current.activity.map((entry) => [entry.key, entry]));
  }

  get keys(): ReadonlySet<string> {
    return new Set(this.#entries.keys());
  }

  add(entry: ActivityEntry): void {
    this.#entries.set(entry.key, entry);
  }

  async checkAndAdd({ generation, activity }: Manifest): Promise<void> {
    const remedy = `Lookups and briefings are right. Do not roll back to generation ${generation}.`;
    for (const entry of activity) {
      const known = this.#entries.get(entry.key);
      if (known === undefined) await checkActivityObject(this.#context.objects, entry, this.#check, remedy);
      else if (JSON.stringify(known) !== JSON.stringify(entry)) {
        this.#check.error(entry.key, `is told of by generation ${generation} as by no other`, remedy);
      }
      if (known === undefined) this.#entries.set(entry.key, entry);
    }
  }
}

// What nothing leads to: left by attempts that lost or stopped, harmless, deleted by the ticks once it is old.

export async function countGarbage(context: FsckContext, named: Named, history: History): Promise<void> {
  const { slices, findings, progress } = context;
  progress.begin('garbage');
  findings.count('segments that nothing names', await countOthers(context, SEGMENT_PREFIX, named.segments));
  findings.count('activity objects that nothing names', await countOthers(context, ACTIVITY_PREFIX, named.activity));
  findings.count(
    'lists of what a compaction wrote that nothing names',
    await countOthers(context, COMPACTION_PREFIX, named.compactions),
  );
  findings.count('ledgers that nothing names', await countOthers(context, LEDGER_PREFIX, named.ledgers));
  const lists = await countOthers(context, SET_ASIDE_PREFIX, named.setAside);
  findings.count('lists of batches set aside that nothing names', lists);
  findings.count(
    'lists of withdrawals that nothing names',
    await countOthers(context, WITHDRAWALS_PREFIX, named.lists),
  );
  findings.count('manifests that are not retained', await countOthers(context, RETAINED_PREFIX, named.manifests));
  const histories = await countOthers(context, HISTORY_PREFIX, new Set());
  // Kept for ever: they are small, and a collector would have to walk the whole chain.
  if (history.isWhole) findings.count('history of attempts never published', histories - history.length);
  let others = 0;
  for await (const { key } of listSlices(slices)) if (!named.slices.has(key)) others += 1;
  findings.count('slices that nothing names', others);
}

async function countOthers(
  { objects, progress }: FsckContext,
  prefix: string,
  named: ReadonlySet<string>,
): Promise<number> {
  let others = 0;
  for await (const { key } of listObjects(objects, prefix)) {
    if (!named.has(key)) others += 1;
    progress.advance();
  }
  return others;
}
