/** Simple curves through the shares seen again, by least squares of relative errors on a grid: no start to depend on. */

export interface Point {
  readonly days: number;
  readonly share: number;
}

export interface Curve {
  readonly name: string;
  readonly formula: string;
  readonly at: (days: number) => number;
  /** Root of the mean square, and the worst, of the differences in share. */
  readonly rms: number;
  readonly worst: number;
}

/** Below it shares differ by chance and by feed more than by age; above it errors count in proportion to the share. */
const SMALL_SHARE = 0.01;
/** Values a parameter takes: 61 from end to end is one at each 10 % or so, finer than the data can tell apart. */
const GRID = 61;

type Shape = (days: number) => number;

interface Sum {
  readonly shapes: readonly Shape[];
  readonly factors: readonly number[];
  readonly error: number;
}

/** Numbers of two kinds: those of sites that change them, and those that stay in stock. */
export function twoExponentials(points: readonly Point[]): Curve {
  let best: { sum: Sum; fast: number; slow: number } | null = null;
  for (const fast of geometric(2, 60)) {
    for (const slow of geometric(100, 4000)) {
      const sum = leastSquares(points, [(d) => Math.exp(-d / fast), (d) => Math.exp(-d / slow)]);
      if (best === null || sum.error < best.sum.error) best = { sum, fast, slow };
    }
  }
  if (best === null) throw new Error('expected a grid of values, found none');
  const { sum, fast, slow } = best;
  const [a = 0, b = 0] = sum.factors;
  const formula = `${a.toFixed(3)} exp(-d / ${fast.toFixed(1)}) + ${b.toFixed(3)} exp(-d / ${slow.toFixed(0)})`;
  return curve('two exponentials', formula, sum, points);
}

/** Numbers of many kinds, each with a rate of its own. */
export function power(points: readonly Point[]): Curve {
  let best: { sum: Sum; scale: number; exponent: number } | null = null;
  for (const scale of geometric(0.5, 500)) {
    for (const exponent of geometric(0.2, 6)) {
      const sum = leastSquares(points, [(d) => (1 + d / scale) ** -exponent]);
      if (best === null || sum.error < best.sum.error) best = { sum, scale, exponent };
    }
  }
  if (best === null) throw new Error('expected a grid of values, found none');
  const { sum, scale, exponent } = best;
  const formula = `${(sum.factors[0] ?? 0).toFixed(3)} (1 + d / ${scale.toFixed(1)})^-${exponent.toFixed(2)}`;
  return curve('power', formula, sum, points);
}

function curve(name: string, formula: string, { shapes, factors }: Sum, points: readonly Point[]): Curve {
  const at = (days: number) => value(shapes, factors, days);
  const differences = points.map(({ days, share }) => Math.abs(at(days) - share));
  const squares = differences.reduce((sum, each) => sum + each ** 2, 0);
  return { name, formula, at, rms: Math.sqrt(squares / points.length), worst: Math.max(...differences) };
}

/** One or two shapes, each with the factor, 0 or more, that brings their sum closest to the points. */
function leastSquares(points: readonly Point[], shapes: readonly Shape[]): Sum {
  const [f = () => 0, g = () => 0] = shapes;
  let [ff, fg, gg, fy, gy] = [0, 0, 0, 0, 0];
  for (const { days, share } of points) {
    const weight = (share + SMALL_SHARE) ** -2;
    const [x, y] = [f(days), g(days)];
    ff += weight * x * x;
    fg += weight * x * y;
    gg += weight * y * y;
    fy += weight * x * share;
    gy += weight * y * share;
  }
  const determinant = ff * gg - fg * fg;
  const single = [fy / ff, 0];
  const both = [(fy * gg - gy * fg) / determinant, (gy * ff - fy * fg) / determinant];
  const factors = determinant > 0 && both.every((factor) => factor >= 0) ? both : single;
  const errorOf = ({ days, share }: Point) => ((value(shapes, factors, days) - share) / (share + SMALL_SHARE)) ** 2;
  return { shapes, factors, error: points.reduce((sum, point) => sum + errorOf(point), 0) };
}

function value(shapes: readonly Shape[], factors: readonly number[], days: number): number {
  return shapes.reduce((sum, shape, i) => sum + (factors[i] ?? 0) * shape(days), 0);
}

function geometric(low: number, high: number): number[] {
  return Array.from({ length: GRID }, (_, i) => low * (high / low) ** (i / (GRID - 1)));
}
