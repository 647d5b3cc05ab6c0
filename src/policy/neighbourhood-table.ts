/**
 * Written by `npm run fit-neighbourhood`; do not edit. Fitted to 4742 numbers first seen
 * 2025-03-01 to 2025-06-30, against 948400 random ones. What it means: src/policy/neighbourhood.ts.
 */
import type { NeighbourhoodTable } from './neighbourhood.ts';

export const NEIGHBOURHOOD_TABLE: NeighbourhoodTable = {
  logOdds: -437,
  suspectPoints: 353,
  points: {
    hundred: [
      [1, 33],
      [2, 40],
      [34, 71],
      [55, 143],
      [90, 199],
    ],
    freshHundred: [
      [1, 57],
      [2, 122],
      [3, 153],
      [5, 185],
      [8, 206],
      [13, 222],
      [21, 232],
      [34, 245],
      [55, 253],
    ],
    thousand: [
      [1, 71],
      [2, 113],
      [3, 128],
    ],
    freshThousand: [
      [1, 58],
      [2, 70],
      [5, 81],
      [8, 109],
      [13, 111],
      [55, 161],
    ],
    weekThousand: [
      [1, 39],
      [2, 62],
      [13, 94],
      [34, 124],
      [55, 152],
    ],
    freshTenThousand: [[1, 70]],
    weekTenThousand: [[1, 42]],
  },
};
