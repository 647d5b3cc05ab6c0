/**
 * A profile: through what a number is known. Its text is the JSON array [labels, channels, industries], each in order
 * and without repetition, and is its identity in a segment's dictionary.
 */
import { FormatError } from './frame.ts';
import { parseJson } from './text.ts';
import { CHANNELS, type Channel, INDUSTRIES, type Industry } from './vocabulary.ts';

export interface Profile {
  /** In code unit order. */
  readonly labels: readonly string[];
  /** In the order of the vocabulary. */
  readonly channels: readonly Channel[];
  readonly industries: readonly Industry[];
}

export function profileText(profile: Profile): string {
  return JSON.stringify([profile.labels, profile.channels, profile.industries]);
}

/** The profile of everything known of either: in canonical order whatever order the parts came in. */
export function unionProfile(a: Profile, b: Profile): Profile {
  return {
    labels: [...new Set([...a.labels, ...b.labels])].sort(),
    channels: CHANNELS.filter((channel) => a.channels.includes(channel) || b.channels.includes(channel)),
    industries: INDUSTRIES.filter((industry) => a.industries.includes(industry) || b.industries.includes(industry)),
  };
}

export function parseProfile(text: string): Profile {
  const value = parseJson(text, 'profile');
  const parts: unknown[] = Array.isArray(value) ? value : [];
  const [labels, channels, industries] = parts.map(textList);
  if (parts.length !== 3 || labels === undefined || channels === undefined || industries === undefined) {
    throw new FormatError('profile: expected three lists of text');
  }
  const profile: Profile = {
    labels,
    channels: CHANNELS.filter((channel) => channels.includes(channel)),
    industries: INDUSTRIES.filter((industry) => industries.includes(industry)),
  };
  if (profileText(unionProfile(profile, profile)) !== text) {
    throw new FormatError('profile: unknown or repeated names, or out of order');
  }
  return profile;
}

function textList(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
