/** What a briefing asks of a kind, as small integers by its index: rows name millions of kinds. */
import type { KindSpan } from '../format/day-facts.ts';
import { factKindText } from '../format/facts-kind.ts';
import { CHANNELS, INDUSTRIES } from '../format/vocabulary.ts';

/** Stands for none. */
export const NONE = -1;
export const API_RECEIVER = CHANNELS.indexOf('api_receiver');

/** Each array by the index of a kind; NONE for what a kind does not name. */
export interface FactKinds {
  /** Index into CHANNELS. */
  readonly channel: Int32Array;
  /** Index into INDUSTRIES. */
  readonly industry: Int32Array;
  /** Index into `projects`. */
  readonly project: Int32Array;
  /** Index into `hosts`. */
  readonly host: Int32Array;
  /** Its place in canonical order (facts-kind.ts). */
  readonly order: Int32Array;
  /** In the order of their first kind. */
  readonly projects: readonly string[];
  readonly hosts: readonly string[];
  /** By project: the first day of any of its kinds, over all history. */
  readonly projectFirstDay: Float64Array;
}

export function factKindsOf(kinds: readonly KindSpan[]): FactKinds {
  const projects = new Map<string, number>();
  const hosts = new Map<string, number>();
  const project = Int32Array.from(kinds, ({ kind }) => indexIn(projects, kind.project));
  const projectFirstDay = new Float64Array(projects.size).fill(Number.POSITIVE_INFINITY);
  kinds.forEach(({ firstDay }, i) => {
    const index = project[i] as number;
    if (index !== NONE) projectFirstDay[index] = Math.min(projectFirstDay[index] as number, firstDay);
  });
  return {
    channel: Int32Array.from(kinds, ({ kind }) => CHANNELS.indexOf(kind.channel)),
    industry: Int32Array.from(kinds, ({ kind }) => (kind.industry === null ? NONE : INDUSTRIES.indexOf(kind.industry))),
    project,
    host: Int32Array.from(kinds, ({ kind }) => indexIn(hosts, kind.linkHost)),
    order: orderOf(kinds.map(({ kind }) => factKindText(kind))),
    projects: [...projects.keys()],
    hosts: [...hosts.keys()],
    projectFirstDay,
  };
}

function indexIn(indexes: Map<string, number>, text: string | null): number {
  if (text === null) return NONE;
  const known = indexes.get(text);
  if (known !== undefined) return known;
  indexes.set(text, indexes.size);
  return indexes.size - 1;
}

/** The place of each text among all in code unit order. */
function orderOf(texts: readonly string[]): Int32Array {
  const place = new Map([...new Set(texts)].sort().map((text, i) => [text, i]));
  return Int32Array.from(texts, (text) => place.get(text) ?? NONE);
}
