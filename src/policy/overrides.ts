/**
 * Overrides: what a fraud team or the operator has decided about single numbers, over data and policy. A tenant's own
 * goes before the operator's for all tenants, since it knows its customers; an expired one says nothing.
 */
export const OVERRIDE_LISTS = ['allow', 'block'] as const;
export type OverrideList = (typeof OVERRIDE_LISTS)[number];

export const OVERRIDE_SCOPES = ['tenant', 'global'] as const;
export type OverrideScope = (typeof OVERRIDE_SCOPES)[number];

/** As far as an answer depends on it. */
export interface Override {
  readonly number: number;
  readonly list: OverrideList;
  /** Milliseconds since 1970; null: until it is deleted. */
  readonly expiresAt: number | null;
  readonly scope: OverrideScope;
}

/** The overrides of one scope, by number. */
export type OverridesByNumber = ReadonlyMap<number, Override>;

const NONE: OverridesByNumber = new Map();

/** What `rule` says when an override decided. */
export const OVERRIDE_RULE = 'override';

/** All that apply to one tenant. Both maps may be shared with others. */
export class Overrides {
  static readonly none = new Overrides(NONE, NONE);

  readonly #tenant: OverridesByNumber;
  readonly #global: OverridesByNumber;
  readonly #isEmpty: boolean;

  constructor(tenant: OverridesByNumber, global: OverridesByNumber) {
    this.#tenant = tenant;
    this.#global = global;
    this.#isEmpty = tenant.size === 0 && global.size === 0;
  }

  static of(list: readonly Override[]): Overrides {
    return new Overrides(
      byNumber(list.filter(({ scope }) => scope === 'tenant')),
      byNumber(list.filter(({ scope }) => scope === 'global')),
    );
  }

  /** The one that decides, or null. */
  find(number: number, nowMs: number): Override | null {
    if (this.#isEmpty) return null;
    return valid(this.#tenant.get(number), nowMs) ?? valid(this.#global.get(number), nowMs);
  }

  /** All, the tenant's first, expired ones too. */
  list(): readonly Override[] {
    return [...this.#tenant.values(), ...this.#global.values()];
  }
}

export function byNumber(list: Iterable<Override>): OverridesByNumber {
  return new Map([...list].map((override) => [override.number, override]));
}

function valid(override: Override | undefined, nowMs: number): Override | null {
  if (override === undefined) return null;
  return override.expiresAt === null || nowMs < override.expiresAt ? override : null;
}
