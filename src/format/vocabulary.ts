/**
 * The closed vocabularies of the file format, by name. Their order is the canonical order of names in a profile
 * (docs/FORMAT.md), so names are only ever appended, never reordered or removed.
 */
export const CHANNELS = [
  'otp_marketplace',
  'api_receiver',
  'public_receiver',
  'number_trading',
  'access_tool',
  'other',
] as const;

export const INDUSTRIES = [
  'social_media',
  'communications',
  'short_video',
  'internet_services',
  'ecommerce',
  'finance',
  'gaming',
  'travel',
  'other',
] as const;

export type Channel = (typeof CHANNELS)[number];
export type Industry = (typeof INDUSTRIES)[number];
