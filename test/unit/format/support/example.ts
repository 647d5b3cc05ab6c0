/** The records of docs/FORMAT.md's worked example. */
import type { Attributes } from '../../../../src/format/attributes.ts';
import type { PlainRecord } from './plain.ts';

const NOON = 1_767_614_400;
const DAY = 20_458;

const MARKET: Attributes = {
  label: 'modem_pool_card',
  channel: 'otp_marketplace',
  industry: 'finance',
  project: null,
  link: null,
  source: null,
};
const RECEIVER: Attributes = { ...MARKET, label: 'public_sms_receiver', channel: 'public_receiver', industry: null };

function record(number: number, days: number, sightings: number, attributes: Attributes): PlainRecord {
  const { label, channel, industry } = attributes;
  return {
    number,
    firstDay: DAY,
    lastDay: DAY + days,
    sightings,
    labels: [label],
    channels: [channel],
    industries: industry === null ? [] : [industry],
    evidence: [{ ...attributes, firstSeenAt: NOON, lastSeenAt: NOON + days * 86_400, sightings }],
  };
}

/** Four numbers close together, coded with Elias-Fano, one far off, and one with sightings that are an exception. */
export const EXAMPLE_RECORDS: readonly PlainRecord[] = [
  record(12_025_550_100, 0, 1, MARKET),
  record(12_025_550_101, 2, 2, RECEIVER),
  record(12_025_550_105, 0, 1, MARKET),
  record(12_025_550_133, 5, 3_000_000, RECEIVER),
  record(13_105_550_142, 0, 1, MARKET),
];
