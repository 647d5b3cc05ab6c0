/** Which policies, overrides and keys were in force when: told by the store, each time that one of their indexes changes. */
import { readJson } from './decode.ts';
import { type PlainPolicy, POLICIES } from './risk.ts';

export interface PlainOverride {
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

export interface Keys {
  readonly version: number;
  readonly from: number;
  until: number;
  readonly ids: ReadonlySet<string>;
}

/** Numbers planted at a time. */
export interface Canaries {
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
  readonly #now: () => number;
  readonly #read: (key: string) => Uint8Array | null;

  constructor(now: () => number, read: (key: string) => Uint8Array | null) {
    this.#now = now;
    this.#read = read;
  }

  onPut(key: string, bytes: Uint8Array): void {
    if (key === 'config/tenants') this.#onTenants(readJson(bytes) as { tenants: Row[] });
    if (key === 'config/canaries') {
      const { canaries } = readJson(bytes) as { canaries: { number: number }[] };
      append(this.canaries, { numbers: new Set(canaries.map(({ number }) => number)) }, this.#now());
    }
    if (key === 'config/keys') {
      const { keys } = readJson(bytes) as { keys: { id: string }[] };
      append(this.keys, { ids: new Set(keys.map(({ id }) => id)) }, this.#now());
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
    append(this.rules, { policies, overrides }, this.#now());
  }

  #document(key: string): { readonly policy?: unknown; readonly overrides?: unknown } | null {
    const bytes = this.#read(key);
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
