/** The evaluation as JSON: shares are fractions of 1, days are ISO dates. */
import { isoDay } from '../../src/format/records.ts';
import { scoreOfPoints } from '../../src/policy/neighbourhood.ts';
import { NEIGHBOURHOOD_TABLE } from '../../src/policy/neighbourhood-table.ts';
import type { Evaluation } from './evaluate.ts';
import type { FileSummary } from './read-history.ts';

export function jsonText({ period, ...evaluation }: Evaluation, files: readonly FileSummary[]): string {
  const document = {
    period: { from: isoDay(period.from), to: isoDay(period.to) },
    files,
    suspectScore: scoreOfPoints(NEIGHBOURHOOD_TABLE.suspectPoints),
    ...evaluation,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
