/**
 * The bounds against a real feed (not part of the repository): a hundred days of it, a tick a day, is never held, and
 * invented numbers beside it are on the day they come. Prints shares only.
 */

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BatchBuilder, openBatch } from '../../../src/format/batch.ts';
import { SourceTally } from '../../../src/ingest/accept.ts';
import { checkLine, Rejection } from '../../../src/ingest/validate.ts';
import { finish } from '../../../src/lib/cooperate.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { EMPTY_LEDGER, quarantinedSources } from '../../../src/quality/ledger.ts';
import { DEFAULT_BOUNDS, sharesOf, sum } from '../../../src/quality/quarantine.ts';
import { screen } from '../../../src/quality/screen.ts';

const FILE = resolve(import.meta.dirname, '../../../../shared/data/detections-2025-03-01_2025-08-31.tsv.gz');
const present = existsSync(FILE);
if (!present) console.log(`real-feed.test: ${FILE} is not there; skipped`);

/** A hundred days; each takes a twentieth of a second. */
const DAYS = 100;
const POISON_DAY = 60;
const labels = new LabelLevels();

/** Digits at random after a calling code that has many: what a site owner makes up. */
function invented(count: number): string[] {
  let state = 1;
  const digit = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % 10;
  };
  return Array.from({ length: count }, () => `+1${Array.from({ length: 10 }, digit).join('')}`);
}

function uploadOf(lines: readonly Readonly<Record<string, string>>[], nowMs: number) {
  const builder = new BatchBuilder();
  const tally = new SourceTally();
  for (const line of lines) {
    const checked = checkLine(line, { nowMs, labels });
    if (checked instanceof Rejection) tally.reject(line.source ?? null, checked);
    else {
      tally.accept(checked.detection.source, checked.lineType);
      builder.add(checked.detection);
    }
  }
  const receipt = { bodySha256: '', accepted: builder.count, rejected: 0, errors: [], sources: tally.finish() };
  return openBatch(builder.finish(receipt));
}

test.skipIf(!present)(
  'a real feed is never held; invented numbers are, when they come',
  () => {
    const rows = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n');
    const days = [...Map.groupBy(rows, (row) => row.slice(0, 10)).values()].slice(0, DAYS);
    const seen = new Set<number>();
    let ledger = EMPTY_LEDGER;
    let heldOn = -1;
    for (const [i, day] of days.entries()) {
      const now = Date.UTC(2026, 0, 1 + i, 12);
      const lines: Record<string, string>[] = day.map((row) => ({ number: row.split('\t')[1] ?? '' }));
      if (i === POISON_DAY) lines.push(...invented(400).map((number) => ({ number, source: 'poison' })));
      const batch = uploadOf(lines, now);
      const numbers = Float64Array.from(new Set(batch.numbers));
      const known = { numbers, isKnown: Uint8Array.from(numbers, (number) => Number(seen.has(number))) };
      for (const number of numbers) seen.add(number);
      const how = { canaries: new Set<number>(), known, now, bounds: DEFAULT_BOUNDS };
      const screened = finish(screen([{ id: `day-${i}`, batch, isReplayed: false }], ledger, how));
      ledger = screened.ledger;
      if (screened.quarantined.length > 0) heldOn = i;
    }
    const own = ledger.sources.find(({ source }) => source === null)?.days ?? [];
    console.log('shares of the last days', sharesOf(sum(own)));
    expect(heldOn).toBe(POISON_DAY);
    expect(quarantinedSources(ledger)).toMatchObject([
      { source: 'poison', reasons: ['invalid-numbers', 'unassigned-ranges'] },
    ]);
  },
  60_000,
);
