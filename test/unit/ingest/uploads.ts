import { createHash } from 'node:crypto';
import { type AcceptDeps, type AcceptResult, acceptDetections } from '../../../src/ingest/accept.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import type { ObjectStore } from '../../../src/storage/store.ts';
import { dramaNumber, LABELS, NOW_MS, streamOf } from './support.ts';

/** Two uploads of different bodies; the second has two rows. */
export const BODY_1 = `{"number":"${dramaNumber(1)}"}\n`;
export const BODY_2 = `{"number":"${dramaNumber(2)}"}\n{"number":"${dramaNumber(3)}"}\n`;

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Ids count up, so that tests can name exact keys. */
export function depsOn(objects: ObjectStore): AcceptDeps {
  let ids = 0;
  return {
    objects,
    now: () => NOW_MS,
    randomId: () => {
      ids += 1;
      return `random-${ids}`;
    },
    labels: LABELS,
    pace: UNPACED,
  };
}

export function upload(
  deps: AcceptDeps,
  body: string,
  idempotencyKey?: string,
  tenant = 'default',
): Promise<AcceptResult> {
  return acceptDetections(
    {
      body: streamOf(body),
      contentType: 'application/x-ndjson',
      tenant,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    },
    deps,
  );
}
