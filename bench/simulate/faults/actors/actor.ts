/** What every actor has at hand. */
import type { Random } from '../../../support/random.ts';
import type { Feed } from '../feeds.ts';
import type { World } from '../world.ts';

export interface Tenant {
  readonly name: string;
  /** Of all scopes but `admin`. */
  readonly key: string;
  readonly keyId: string;
}

/** What one person sent, and would send again. */
export interface SentUpload {
  readonly feed: Feed;
  readonly tenant: Tenant;
  readonly idempotencyKey: string | null;
}

/** An upload that was answered 202. */
interface Acknowledged extends SentUpload {
  readonly batch: string;
}

/** A key that somebody made during the seed, of the scope `lookup`. */
interface MadeKey {
  readonly id: string;
  readonly key: string;
  readonly tenant: string;
}

/** What the people of a seed know. */
export interface Town {
  readonly world: World;
  readonly tenants: Tenant[];
  readonly sent: SentUpload[];
  readonly acknowledged: Acknowledged[];
  readonly keys: MadeKey[];
  /** Periods that somebody has read of, in days since 1970. */
  readonly periods: { readonly from: number; readonly to: number }[];
}

export interface Scene {
  readonly town: Town;
  readonly world: World;
  /** Of this step alone. */
  readonly random: Random;
  /** The step's name, the same in every run of the seed. */
  readonly name: string;
  /** Says what the step does, for the schedule. */
  tell(what: string): void;
}

export type Actor = (scene: Scene) => Promise<void>;
