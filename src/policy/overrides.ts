/**
 * Overrides: what a fraud team or the operator has decided about single numbers. They go before data and policy, and a
 * tenant's own go before the operator's for all tenants, since a tenant knows its customers. An expired one has no
 * effect.
 */
export const OVERRIDE_LISTS = ['allow', 'block'] as const;
export type OverrideList = (typeof OVERRIDE_LISTS)[number];

export const OVERRIDE_SCOPES = ['tenant', 'global'] as const;
export type OverrideScope = (typeof OVERRIDE_SCOPES)[number];

/** The part of an override that an answer depends on. */
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

/** The value of `rule` when an override decided. */
export const OVERRIDE_RULE = 'override';

/** All overrides that apply to one tenant. Other tenants may share both maps. */
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

  /** The override that decides, or null. */
  find(number: number, nowMs: number): Override | null {
    if (this.#isEmpty) return null;
    return valid(this.#tenant.get(number), nowMs) ?? valid(this.#global.get(number), nowMs);
  }

  /** All overrides, the tenant's first, and expired ones too. */
  list(): readonly Override[] {
    return [...this.#tenant.values(), ...this.#global.values()];
  }
}

/** @param list of one scope, with each number once */
export function byNumber(list: Iterable<Override>): OverridesByNumber {
  return new Map([...list].map((override) => [override.number, override]));
}

function valid(override: Override | undefined, nowMs: number): Override | null {
  if (override === undefined) return null;
  return isInForce(override, nowMs) ? override : null;
}

/** Whether an override has not expired yet. */
export function isInForce({ expiresAt }: Pick<Override, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt === null || nowMs < expiresAt;
}
