/**
 * What is one source. A name is a tenant's: two tenants' feeds of one name are two sources, so that nobody can have
 * another's held back by uploading bad lines under its name. Detections that name none are one source of each API key.
 */

import * as v from 'valibot';
import type { Receipt } from './batch.ts';

export type SourceName = string | null;

/** Of an upload; empty where it was stored before that was kept: all of those have one owner. */
export type Owner = NonNullable<Receipt['owner']> | Readonly<Record<string, never>>;

export const sourceIdMembers = {
  /** null: uploads that named none. */
  source: v.nullable(v.string()),
  tenant: v.exactOptional(v.string()),
  /** Id of the API key, of uploads that named none. */
  key: v.exactOptional(v.string()),
  /** All that the key uploads, whatever it names: it has more sources in quarantine than are told apart. */
  every: v.exactOptional(v.literal(true)),
};

const sourceIdSchema = v.object(sourceIdMembers);

export type SourceId = Readonly<v.InferOutput<typeof sourceIdSchema>>;

export function sourceId({ tenant, key }: Owner, source: SourceName): SourceId {
  if (tenant === undefined) return { source };
  return source === null ? { source, tenant, key } : { source, tenant };
}

export function everySource({ tenant, key }: Owner): SourceId {
  return tenant === undefined ? { source: null, every: true } : { source: null, tenant, key, every: true };
}

/** A text for maps: the same for the same source, and for no other. */
export function idText({ source, tenant, key, every }: SourceId): string {
  return JSON.stringify([source, tenant ?? null, key ?? null, every ?? false]);
}

/** Only what tells it from others. */
export function idOf({ source, tenant, key, every }: SourceId): SourceId {
  return {
    source,
    ...(tenant === undefined ? {} : { tenant }),
    ...(key === undefined ? {} : { key }),
    ...(every === undefined ? {} : { every }),
  };
}
