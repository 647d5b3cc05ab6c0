/** Content negotiation as RFC 9110 has it, as far as a few fixed media types need it. */

/** More than browsers send; what follows is not looked at. */
const MAX_RANGES = 32;

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

/**
 * Which of the offered types an Accept header prefers; of equally preferred ones the first offered. The first, too, if
 * the header is missing or accepts none: an answer of another type says more than none.
 */
export function preferredType<const Type extends string>(
  header: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type {
  const ranges = (header ?? '').split(',', MAX_RANGES).map(parseRange);
  let [best] = offered;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) {
      best = type;
      bestQuality = quality;
    }
  }
  return best;
}

/** By the most specific range that names the type. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  for (const name of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const named = ranges.find(({ range }) => range === name);
    if (named !== undefined) return named.quality;
  }
  return 0;
}

function parseRange(text: string): MediaRange {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = weight === undefined ? 1 : Number(weight.slice('q='.length));
  return { range, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
