/**
 * Which policies, overrides and keys were in force when. The store tells, each time that one of their indexes changes.
 */
import { readJson } from './decode.ts';
import { type PlainPolicy, POLICIES } from './detections.ts';

interface PlainOverride {
  readonly number: number;
  readonly list: 'allow' | 'block';
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
}

/** What holds for tenants, from one change to the next. */
export interface Rules {
  readonly version: number;
  readonly from: number;
  until: number;
  readonly policies: ReadonlyMap<string, PlainPolicy>;
  readonly overrides: ReadonlyMap<string, readonly PlainOverride[]>;
}

interface Keys {
  readonly version: number;
  readonly from: number;
  until: number;
  readonly ids: ReadonlySet<string>;
}

/** Numbers planted at a time. */
interface Canaries {
  readonly version: number;
  readonly from: number;
  until: number;
  readonly numbers: ReadonlySet<number>;
}

interface Row {
  readonly tenant: string;
  readonly policy: string | null;
  readonly overrides: string | null;
}

export const EVERYBODY = '*';
/** Which policy and which overrides are in force, of every tenant. */
export const RULES_INDEX = 'config/tenants';

interface ConfigurationWatch {
  onBroken(invariant: string, detail: string): void;
  now(): number;
  /** An object as the store has it at this moment. */
  read(key: string): Uint8Array | null;
}

function policyName(tenant: string): string {
  return `policy of ${tenant}`;
}

/** How an override is named among what was asked to go. */
export function overrideName(tenant: string, number: number): string {
  return `override of ${tenant} for ${number}`;
}

/** Clocks differ by half a second. */
const SKEW_MS = 1_000;

/** But for overrides that have expired: they go with the next change. */
function ruleNames({ policies, overrides }: Pick<Rules, 'policies' | 'overrides'>, nowMs: number): Set<string> {
  const names = [...policies.keys()].map(policyName);
  for (const [tenant, own] of overrides) {
    const inForce = own.filter(({ expiresAt }) => expiresAt === null || expiresAt > nowMs + SKEW_MS);
    names.push(...inForce.map(({ number }) => overrideName(tenant, number)));
  }
  return new Set(names);
}

export class Configuration {
  readonly rules: Rules[] = [
    {
      version: 0,
      from: Number.NEGATIVE_INFINITY,
      until: Number.POSITIVE_INFINITY,
      policies: new Map(),
      overrides: new Map(),
    },
  ];
  readonly keys: Keys[] = [
    { version: 0, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, ids: new Set() },
  ];
  readonly canaries: Canaries[] = [
    { version: 0, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY, numbers: new Set() },
  ];
  /** What somebody has asked to be taken away: nothing else goes, whoever changes things at the same time. */
  readonly asked = { keys: new Set<string>(), canaries: new Set<number>(), rules: new Set<string>() };
  readonly #watch: ConfigurationWatch;

  constructor(watch: ConfigurationWatch) {
    this.#watch = watch;
  }

  onPut(key: string, bytes: Uint8Array): void {
    if (key === RULES_INDEX) this.#onTenants(readJson(bytes) as { tenants: Row[] });
    if (key === 'config/canaries') {
      const { canaries } = readJson(bytes) as { canaries: { number: number }[] };
      const numbers = new Set(canaries.map(({ number }) => number));
      this.#checkGone('canary', this.canaries.at(-1)?.numbers, numbers, this.asked.canaries);
      append(this.canaries, { numbers }, this.#watch.now());
    }
    if (key === 'config/keys') {
      const { keys } = readJson(bytes) as { keys: { id: string }[] };
      const ids = new Set(keys.map(({ id }) => id));
      this.#checkGone('key', this.keys.at(-1)?.ids, ids, this.asked.keys);
      append(this.keys, { ids }, this.#watch.now());
    }
  }

  /** Numbers that were canaries at all moments of a stretch of time, or at one of them at least. */
  canariesIn(fromMs: number, toMs: number): { readonly surely: Set<number>; readonly maybe: Set<number> } {
    const all = inForce(this.canaries, fromMs, toMs).map(({ numbers }) => numbers);
    const maybe = new Set(all.flatMap((numbers) => [...numbers]));
    return { maybe, surely: new Set([...maybe].filter((number) => all.every((numbers) => numbers.has(number)))) };
  }

  #onTenants({ tenants }: { tenants: readonly Row[] }): void {
    const policies = new Map<string, PlainPolicy>();
    const overrides = new Map<string, readonly PlainOverride[]>();
    for (const { tenant, policy, overrides: list } of tenants) {
      const document = policy === null ? null : this.#document(`config/policies/${tenant}/${policy}`);
      const known = POLICIES.find(({ source }) => JSON.stringify(source) === JSON.stringify(document?.policy));
      if (known !== undefined) policies.set(tenant, known);
      const listed = list === null ? null : this.#document(`config/overrides/${tenant}/${list}`);
      overrides.set(tenant, (listed?.overrides as readonly PlainOverride[] | undefined) ?? []);
    }
    const now = this.#watch.now();
    const before = this.rules.at(-1);
    this.#checkGone(
      'rule',
      before && ruleNames(before, now),
      ruleNames({ policies, overrides }, now),
      this.asked.rules,
    );
    append(this.rules, { policies, overrides }, now);
  }

  #checkGone<T>(what: string, before: Iterable<T> = [], after: ReadonlySet<T>, asked: ReadonlySet<T>): void {
    const lost = [...before].filter((one) => !after.has(one) && !asked.has(one));
    if (lost.length > 0) this.#watch.onBroken('no change is lost to another', `${what} ${lost.join(', ')}`);
  }

  #document(key: string): { readonly policy?: unknown; readonly overrides?: unknown } | null {
    const bytes = this.#watch.read(key);
    return bytes === null ? null : (readJson(bytes) as { policy?: unknown; overrides?: unknown });
  }
}

/** Those in force at some moment of a stretch of time. */
export function inForce<T extends { readonly from: number; readonly until: number }>(
  all: readonly T[],
  fromMs: number,
  toMs: number,
): T[] {
  return all.filter(({ from, until }) => from <= toMs && until >= fromMs);
}

function append<T extends { readonly version: number; readonly from: number; until: number }>(
  all: T[],
  next: Omit<T, 'version' | 'from' | 'until'>,
  now: number,
): void {
  const last = all.at(-1) as T;
  last.until = now;
  all.push({ ...next, version: last.version + 1, from: now, until: Number.POSITIVE_INFINITY } as T);
}
