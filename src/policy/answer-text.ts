/**
 * Answers as JSON text. A lookup spends more on JSON.stringify than on finding its number, so what nearly every answer
 * consists of is put together here: texts of our own vocabularies, which need no escape, and integers.
 */
import type { LookupAnswer } from './answer.ts';

/** The same text as JSON.stringify(answer), field by field in that order. */
export function answerText(answer: LookupAnswer): string {
  if (hasMore(answer)) return JSON.stringify(answer);
  const { number, country, lineType, verdict, level, labels, channels, industries, neighbourhood, action, rule } =
    answer;
  return (
    `{"number":"${number}","country":${quoted(country)},"lineType":"${lineType}","verdict":"${verdict}"` +
    `,"level":${level},"labels":${list(labels)},"channels":${list(channels)},"industries":${list(industries)}` +
    `,"firstSeen":${quoted(answer.firstSeen)},"lastSeen":${quoted(answer.lastSeen)},"sightings":${answer.sightings}` +
    `,"neighbourhood":${neighbourhood === null ? 'null' : neighbourhoodText(neighbourhood)}` +
    // Ids of rules are a-z, 0-9 and a few signs (rules-schema.ts).
    `,"action":${quoted(action)},"rule":${quoted(rule)},"generation":${answer.generation}}`
  );
}

/** Fields that only some answers have. */
function hasMore(answer: LookupAnswer): boolean {
  const { expired, asOf, override, shadow, failed, evidence, receipt, stale, ageSeconds } = answer;
  return (
    expired !== undefined ||
    asOf !== undefined ||
    receipt !== undefined ||
    override !== undefined ||
    shadow !== undefined ||
    failed !== undefined ||
    evidence !== undefined ||
    stale !== undefined ||
    ageSeconds !== undefined
  );
}

function neighbourhoodText({ hundred, thousand, score }: NonNullable<LookupAnswer['neighbourhood']>): string {
  return `{"hundred":${hundred},"thousand":${thousand},"score":${score}}`;
}

function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`;
}

/** Labels are an operator's words, so they are escaped. */
function list(texts: readonly string[]): string {
  return texts.length === 0 ? '[]' : JSON.stringify(texts);
}
