/**
 * Activity keys as text: the JSON array [label, channel, industry, project, link host, source] as ECMAScript's
 * JSON.stringify writes it, null for what is absent: attributes (circumstances.ts) without the hash of the link. The
 * UTF-16 code unit order of the texts is the canonical order of kinds.
 */
import { parseCircumstances } from './circumstances.ts';
import type { FactKind } from './day-facts.ts';
import { FormatError } from './frame.ts';
import { parseJson } from './text.ts';

const CIRCUMSTANCES_FIELDS = 7;
const KIND_FIELDS = 6;
/**
 * Objects of one store have the same activity keys, tens of thousands where projects and hosts are many: 200 bytes
 * each.
 */
const MAX_KNOWN = 32_768;
const known = new Map<string, KnownKind>();

export interface KnownKind {
  /** One string for all objects that name the kind. */
  readonly text: string;
  readonly kind: FactKind;
}

export function factKindText(kind: FactKind): string {
  return JSON.stringify([kind.label, kind.channel, kind.industry, kind.project, kind.linkHost, kind.source]);
}

/** Throws FormatError unless the text is one that `factKindText` writes. */
export function parseFactKind(text: string): FactKind {
  return knownKind(text).kind;
}

/** The same, and the text to keep. */
export function knownKind(text: string): KnownKind {
  const before = known.get(text);
  if (before !== undefined) return before;
  const kind = { text, kind: parse(text) };
  if (known.size < MAX_KNOWN) known.set(text, kind);
  return kind;
}

function parse(text: string): FactKind {
  const fields = parseJson(text, 'kind of facts');
  if (!Array.isArray(fields) || fields.length !== KIND_FIELDS) {
    throw new FormatError(`activity key: expected an array of ${KIND_FIELDS} fields`);
  }
  const [label, channel, industry, project, host, source]: unknown[] = fields;
  const sha256 = host === null ? null : '';
  const { link, ...rest } = parseCircumstances(
    JSON.stringify([label, channel, industry, project, host, sha256, source]),
  );
  const kind = { ...rest, linkHost: link?.host ?? null };
  if (factKindText(kind) !== text) throw new FormatError('activity key: not in its canonical form');
  return kind;
}

/** What a row of activity keeps of the attributes. */
export interface FactParts {
  readonly kindText: string;
  /** The first 64 bits of the link's SHA-256, as two big-endian halves; both 0: no link. */
  readonly linkHigh: number;
  readonly linkLow: number;
}

/** Of a text whose spelling has been checked, when its batch was opened. Throws FormatError when it is no such text. */
export function factPartsOf(circumstances: string): FactParts {
  const fields = parseJson(circumstances, 'attributes');
  if (!Array.isArray(fields) || fields.length !== CIRCUMSTANCES_FIELDS) {
    throw new FormatError(`circumstances: expected an array of ${CIRCUMSTANCES_FIELDS} fields`);
  }
  const [label, channel, industry, project, host, sha256, source]: unknown[] = fields;
  const kindText = JSON.stringify([label, channel, industry, project, host, source]);
  if (typeof sha256 !== 'string') return { kindText, linkHigh: 0, linkLow: 0 };
  return {
    kindText,
    linkHigh: Number.parseInt(sha256.slice(0, 8), 16),
    linkLow: Number.parseInt(sha256.slice(8, 16), 16),
  };
}
