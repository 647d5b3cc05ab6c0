/**
 * How numbers were come by: label, channel, industry, project and source, in every combination that the feeds have,
 * interned as small integers. Names are made up; the vocabularies are small, as those of real feeds are.
 *
 * A source has one channel. Only private API receivers name the project that a number serves ("one number, one
 * project, one link"), and a project belongs to one industry.
 */

import type { Random } from '../../bench/support/random.ts';
import { type Channel, INDUSTRIES, type Industry } from '../../src/format/vocabulary.ts';

export interface SyntheticCircumstances {
  readonly label: string;
  readonly channel: Channel;
  readonly industry: Industry;
  readonly project: string | null;
  readonly source: string;
}

interface SourceKind {
  readonly channel: Channel;
  readonly label: string;
  readonly name: string;
  readonly count: number;
  /** Of 1,000 blocks of the inventory. */
  readonly weight: number;
}

const SOURCE_KINDS: readonly SourceKind[] = [
  { channel: 'otp_marketplace', label: 'modem_pool_card', name: 'market', count: 18, weight: 800 },
  { channel: 'api_receiver', label: 'modem_pool_card', name: 'receiver', count: 10, weight: 120 },
  { channel: 'public_receiver', label: 'public_sms_receiver', name: 'public', count: 4, weight: 50 },
  { channel: 'number_trading', label: 'modem_pool_card', name: 'trade', count: 3, weight: 12 },
  { channel: 'access_tool', label: 'modem_pool_card', name: 'tool', count: 3, weight: 8 },
  { channel: 'other', label: 'reported_abuse', name: 'partner', count: 2, weight: 10 },
];

/** Of 1,000 numbers, in the published order; the shares themselves are chosen. In the order of INDUSTRIES. */
const INDUSTRY_WEIGHTS: readonly number[] = [340, 230, 150, 110, 60, 50, 30, 20, 10];
const THOUSAND = 1000;
const PROJECTS = 300;

const two = (n: number): string => String(n).padStart(2, '0');

/** The place of a number below 1,000 among weights that add up to it. */
function pick(weights: readonly number[], below1000: number): number {
  let left = below1000;
  const found = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return Math.max(0, found);
}

const CHANNEL_OF_THOUSAND = Uint8Array.from({ length: THOUSAND }, (_, i) =>
  pick(
    SOURCE_KINDS.map(({ weight }) => weight),
    i,
  ),
);
const INDUSTRY_OF_THOUSAND = Uint8Array.from({ length: THOUSAND }, (_, i) => pick(INDUSTRY_WEIGHTS, i));

/** Projects are shared out among industries as numbers are. */
const projectIndustry = (project: number): number =>
  INDUSTRY_OF_THOUSAND[Math.floor((project * THOUSAND) / PROJECTS)] ?? 0;

export interface Source {
  readonly channel: Channel;
  /** Its first circumstances: one for each industry, or for each project. */
  readonly first: number;
}

const table: SyntheticCircumstances[] = [];
const sourcesByKind: readonly (readonly Source[])[] = internAll();
/** By what `drawCircumstances` returns. */
export const CIRCUMSTANCES: readonly SyntheticCircumstances[] = table;

function internAll(): Source[][] {
  return SOURCE_KINDS.map(({ channel, label, name, count }) =>
    Array.from({ length: count }, (_, i) => {
      const first = table.length;
      const source = `${name}-${two(i + 1)}`;
      const variants = channel === 'api_receiver' ? PROJECTS : INDUSTRIES.length;
      for (let variant = 0; variant < variants; variant++) {
        const project = channel === 'api_receiver' ? `project-${String(variant + 1).padStart(3, '0')}` : null;
        const industry = INDUSTRIES[project === null ? variant : projectIndustry(variant)] ?? 'other';
        table.push({ label, channel, industry, project, source });
      }
      return { channel, first };
    }),
  );
}

/** Draws the source that most of a block comes from. */
export function drawSource(random: Random): Source {
  return sourceAmong(CHANNEL_OF_THOUSAND[random.below(THOUSAND)] ?? 0, random);
}

/** Draws one of a channel's sources. */
export function drawSourceOf(channel: Channel, random: Random): Source {
  return sourceAmong(
    SOURCE_KINDS.findIndex((kind) => kind.channel === channel),
    random,
  );
}

function sourceAmong(kind: number, random: Random): Source {
  const sources = sourcesByKind[kind] ?? [];
  const source = sources[random.below(sources.length)];
  if (source === undefined) throw new Error(`expected one of ${SOURCE_KINDS.length} kinds of sources; found ${kind}`);
  return source;
}

/** Draws what else there is to say of a number of a source. */
export function drawCircumstances(source: Source, random: Random): number {
  if (source.channel === 'api_receiver') return source.first + random.below(PROJECTS);
  return source.first + (INDUSTRY_OF_THOUSAND[random.below(THOUSAND)] ?? 0);
}
