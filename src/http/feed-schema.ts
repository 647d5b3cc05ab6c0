import * as v from 'valibot';
import { type FeedManifestJson, feedManifest, SLICE_HASH } from '../feed/manifest.ts';

export { feedManifest };

export const sliceHash = v.pipe(v.string(), v.regex(SLICE_HASH, 'expected 64 lower-case hex digits'));

const NUMBERS = { sha256: '1d9f'.repeat(16), bytes: 48_216 };
const VERDICTS = { sha256: '5c07'.repeat(16), bytes: 120_984 };

export const FEED_MANIFEST_EXAMPLE: FeedManifestJson = {
  format: 1,
  generation: 1234,
  publishedAt: '2025-05-29T08:13:00.000Z',
  runs: [
    {
      segments: [
        {
          key: 'segments/0a1b2c3d-000000',
          first: 12_025_550_100,
          last: 12_025_550_199,
          count: 37,
          numbers: NUMBERS,
          verdicts: VERDICTS,
        },
      ],
    },
  ],
  config: { sha256: 'e4b2'.repeat(16), bytes: 412 },
};
