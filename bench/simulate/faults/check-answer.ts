/** Checks the answer to a lookup: it must be what the model has of the generation that it names, and not too old. */

import { dateOf, dayOfMs } from './model/calendar.ts';
import { EVERYBODY, RULES_INDEX, type Rules } from './model/configuration.ts';
import { levelOf, type PlainRow, POLICIES } from './model/detections.ts';
import type { Generation } from './model/generation.ts';
import { evidenceText, neighboursOf, type PlainEvidence, recordOf, rowsUntil } from './model/record.ts';
import type { Floor, Host } from './scheduler.ts';
import type { World } from './world.ts';

export interface LookupAnswer {
  readonly number: string;
  readonly verdict: string;
  readonly level: number | null;
  readonly labels: readonly string[];
  readonly channels: readonly string[];
  readonly industries: readonly string[];
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly sightings: number | null;
  readonly neighbourhood: { readonly hundred: number; readonly thousand: number } | null;
  readonly action: string | null;
  readonly rule: string | null;
  readonly generation: number;
  readonly expired?: true;
  readonly override?: { readonly list: string; readonly scope: string };
  readonly evidence?: readonly PlainEvidence[] | null;
  readonly asOf?: { readonly date?: string; readonly generation?: number };
  readonly receipt?: { readonly commit: string; readonly segments: readonly { readonly key: string }[] };
  readonly stale?: true;
  readonly ageSeconds?: number;
}

export interface Asked {
  readonly isolate: Host;
  readonly sentAt: number;
  readonly answeredAt: number;
  /** What the isolate had shown before this was asked. */
  readonly floor: Floor;
  readonly tenant: string;
  readonly number: number;
  readonly evidence: boolean;
  readonly receipt: boolean;
  /** Of a replica: it may lag behind. */
  readonly isReplica?: boolean;
  /** UTC day since 1970, or a generation. */
  readonly asOf: { readonly day: number } | { readonly generation: number } | null;
}

/** A snapshot older than 30 s is refreshed first, for a second at most (docs/decisions/0004). */
const FRESH_MS = 31_500;
/** The same of what tenants decide with, whose refresh may have been lost once. */
const RULES_FRESH_MS = 45_000;
/** What tenants decide with, without the index that says which is in force: an isolate never goes back in that. */
const DOCUMENTS = ['config/policies/', 'config/overrides/'];
/** After a failure an isolate answers from what it has for so long, without another look. */
const RETRY_MS = 5_500;
/** What failed so long ago does not show any more. */
const TROUBLE_MS = 60_000;
/**
 * Nothing older answers, or it says that it is, as the operator has chosen; a replica, which always says so, may have
 * followed what was nearly as old as an answer may be.
 */
const STALE_AFTER_MS = 121_000;
const REPLICA_STALE_AFTER_MS = STALE_AFTER_MS + FRESH_MS;

export function checkAnswer(world: World, answer: LookupAnswer | undefined, asked: Asked): void {
  world.checkedAnswers += 1;
  if (answer?.number !== `+${asked.number}`) {
    world.broken('an answer is about the number asked for', `number ${answer?.number}`);
    return;
  }
  const isCalm = asked.isReplica !== true && asked.isolate.isCalmSince(asked.sentAt - TROUBLE_MS);
  if (answer.verdict === 'unknown') {
    if (isCalm) world.broken('unknown only while storage fails', `+${asked.number} in ${asked.isolate.name}`);
    return;
  }
  const generation = world.model.generation(answer.generation);
  if (generation === undefined) {
    world.broken('answers are of generations that were published', `generation ${answer.generation}`);
    return;
  }
  checkAge(world, answer, generation, asked, isCalm);
  const rules = checkContent(world, answer, generation, asked, isCalm);
  const isOfNow = asked.asOf === null || 'day' in asked.asOf;
  asked.isolate.raise({
    ...(asked.isReplica ? {} : { rules }),
    ...(isOfNow ? { generation: generation.generation } : {}),
  });
}

function checkAge(world: World, answer: LookupAnswer, generation: Generation, asked: Asked, isCalm: boolean): void {
  const { isolate, sentAt, floor, asOf } = asked;
  const at = `generation ${generation.generation} from ${isolate.name}`;
  if (asOf !== null && 'generation' in asOf) {
    if (asOf.generation !== generation.generation) world.broken('as-of answers are of the generation asked for', at);
    return;
  }
  if (generation.generation < floor.generation) {
    world.broken('generation never goes back in an isolate', `${at}, which had answered with ${floor.generation}`);
  }
  const ageMs = sentAt - generation.supersededAt;
  if (isCalm && ageMs > FRESH_MS) {
    const detail = `${at}, superseded ${Math.round(ageMs / 1000)} s before`;
    world.broken('an answer is of a recent generation while storage works', detail);
  }
  const mayBeStale = asked.isReplica === true || world.servesStale;
  if (ageMs <= (asked.isReplica ? REPLICA_STALE_AFTER_MS : STALE_AFTER_MS) || (mayBeStale && answer.stale)) return;
  const promise = mayBeStale ? 'an old answer says so' : 'what is old answers nothing';
  world.broken(promise, `${at}, superseded ${Math.round(ageMs / 1000)} s before`);
}

/** Compares with every moment that the answer may be of. Returns the oldest rules that explain it. */
function checkContent(
  world: World,
  answer: LookupAnswer,
  generation: Generation,
  asked: Asked,
  isCalm: boolean,
): number {
  const { isolate, sentAt, answeredAt, floor, asOf } = asked;
  // Where documents of the newest cannot be read, those from before go on, for two minutes from when that was noticed.
  const areReadable = isolate.isCalmSince(sentAt - TROUBLE_MS, DOCUMENTS);
  // After a change through it, rules from before answer only if the next look at the index fails too.
  const { rules: changed, atMs: changedAt } = floor.changed;
  const hasLooked = isolate.isCalmSince(Math.max(sentAt - RETRY_MS, changedAt + 1), [RULES_INDEX]);
  const oldest = hasLooked ? Math.max(floor.rules, changed) : floor.rules;
  const known = world.configuration.rules.filter(
    ({ version, from }) => (version >= oldest || !areReadable) && from <= answeredAt,
  );
  const recentFrom = isCalm ? sentAt - RULES_FRESH_MS : Number.NEGATIVE_INFINITY;
  const recent = known.filter(({ until }) => until >= recentFrom);
  const older = known.filter((rules) => !recent.includes(rules));
  const moments = [sentAt + isolate.skewMs, answeredAt + isolate.skewMs];
  const about = `+${asked.number} in generation ${generation.generation} from ${isolate.name}`;
  let first: string | null = null;
  const counted = world.model.rowsIn(generation, asked.number);
  const unsettled = world.model.unsettledIn(generation, counted);
  const settled = counted.filter((row) => !unsettled.includes(row));
  for (const rules of [...recent, ...older]) {
    for (const now of moments) {
      for (const rows of unsettled.length === 0 ? [counted] : [counted, settled]) {
        const day = asOf === null ? dayOfMs(now) : 'day' in asOf ? asOf.day : dayOfMs(generation.publishedAt);
        const difference = differenceFrom(world, answer, generation, asked, { rows, rules, now, day });
        first ??= difference;
        if (difference !== null) continue;
        if (older.includes(rules)) world.broken('what decides is recent while storage works', `${about}: ${first}`);
        checkExtras(world, answer, generation, asked, { rows, isCalm });
        return rules.version;
      }
    }
  }
  // Rows of several batches that are being taken out: which of them are out already, nobody can say.
  if (new Set(unsettled.map(({ batch }) => batch)).size > 1) return floor.rules;
  world.broken(`${asOf === null ? 'answers' : 'as-of answers'} are those of the model`, `${about}: ${first}`);
  return floor.rules;
}

interface Candidate {
  /** What is known of the number. */
  readonly rows: readonly PlainRow[];
  readonly rules: Rules;
  readonly now: number;
  /** From which days are counted. */
  readonly day: number;
}

function differenceFrom(
  { model }: World,
  answer: LookupAnswer,
  generation: Generation,
  { number, tenant, asOf }: Asked,
  { rows, rules, now, day }: Candidate,
): string | null {
  const asOfDay = asOf !== null && 'day' in asOf ? asOf.day : null;
  const record = recordOf(asOfDay === null ? rows : rowsUntil(rows, asOfDay));
  const level = record === null ? null : levelOf(record.labels, Math.max(0, day - record.lastDay));
  const isListed = record !== null && level !== null;
  const { hundred = -1, thousand = -1 } = answer.neighbourhood ?? {};
  const { certain, most } = neighboursOf(model, generation, number, asOfDay);
  const neighbourhood = {
    hundred: Math.min(Math.max(hundred, certain.hundred), most.hundred),
    thousand: Math.min(Math.max(thousand, certain.thousand), most.thousand),
  };
  const verdict = isListed ? 'listed' : answer.verdict;
  if (!isListed && verdict !== 'clear' && verdict !== 'suspect') return `verdict: expected none, found ${verdict}`;
  const facts = { verdict, level: level ?? 0, sightings: isListed ? record.sightings : 0, hundred };
  const policy = rules.policies.get(tenant) ?? rules.policies.get(EVERYBODY) ?? POLICIES[0];
  const decided = policy?.decide(facts) ?? ['default', 'allow'];
  const override = overrideOf(rules, tenant, number, now);
  const expected = {
    verdict,
    level,
    labels: isListed ? record.labels : [],
    channels: isListed ? record.channels : [],
    industries: isListed ? record.industries : [],
    firstSeen: isListed ? dateOf(record.firstDay) : null,
    lastSeen: isListed ? dateOf(record.lastDay) : null,
    sightings: isListed ? record.sightings : null,
    neighbourhood,
    action: override?.list ?? decided[1],
    rule: override === null ? decided[0] : 'override',
    expired: record !== null && !isListed ? true : undefined,
    override: override ?? undefined,
  };
  const found = {
    ...answer,
    neighbourhood: { hundred, thousand },
    override: answer.override && { list: answer.override.list, scope: answer.override.scope },
  };
  for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
    const [wanted, got] = [JSON.stringify(expected[name]), JSON.stringify(found[name])];
    if (wanted !== got) return `${name}: expected ${wanted}, found ${got}`;
  }
  return null;
}

function overrideOf({ overrides }: Rules, tenant: string, number: number, now: number) {
  for (const [owner, scope] of [
    [tenant, 'tenant'],
    [EVERYBODY, 'global'],
  ] as const) {
    const own = overrides.get(owner)?.find((one) => one.number === number);
    if (own !== undefined && (own.expiresAt === null || now < own.expiresAt)) return { list: own.list, scope };
  }
  return null;
}

function checkExtras(
  world: World,
  answer: LookupAnswer,
  generation: Generation,
  asked: Asked,
  { rows, isCalm }: { readonly rows: readonly PlainRow[]; readonly isCalm: boolean },
): void {
  const { number, asOf, evidence, receipt } = asked;
  const about = `+${number} in generation ${generation.generation} from ${asked.isolate.name}`;
  if (evidence) {
    const record = recordOf(asOf !== null && 'day' in asOf ? rowsUntil(rows, asOf.day) : rows);
    const wanted = evidenceText(record?.evidence ?? []);
    if (answer.evidence === undefined || answer.evidence === null) {
      if (isCalm) world.broken('evidence is there while storage works', about);
    } else if (evidenceText(answer.evidence) !== wanted) {
      world.broken(
        'evidence is that of the model',
        `${about}: expected\n${wanted}\nfound\n${evidenceText(answer.evidence)}`,
      );
    }
  }
  if (!receipt) return;
  if (answer.receipt?.commit !== generation.commit) {
    world.broken('a receipt names the generation that it is of', `${about}: ${answer.receipt?.commit}`);
  }
  for (const { key } of answer.receipt?.segments ?? []) {
    if (world.bucket.get(key) === undefined && isCalm)
      world.broken('what a receipt names is there', `${about}: ${key}`);
  }
}

/** A generation is said not to be retained. */
export function checkNotRetained(world: World, { isolate, sentAt, answeredAt, asOf }: Asked): void {
  if (asOf === null || !('generation' in asOf) || !isolate.isCalmSince(sentAt - TROUBLE_MS)) return;
  const newest = world.model.between(sentAt - FRESH_MS, answeredAt);
  const isRetained = ({ retained, generation }: Generation) =>
    retained.has(asOf.generation) || generation === asOf.generation;
  if (newest.every(isRetained)) {
    world.broken('what is retained can be asked for', `generation ${asOf.generation} from ${isolate.name}`);
  }
}
