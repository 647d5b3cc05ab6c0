/**
 * Written by `npm run fit-neighbourhood`; do not edit. Fitted to 4742 numbers first seen
 * 2025-03-01 to 2025-06-30, against 948400 random ones. What it means: src/policy/score.ts.
 */
export const NEIGHBOURHOOD_TABLE = {
  logOdds: -429,
  suspectPoints: 359,
  points: {
    hundred: [
      [1, 30],
      [2, 41],
      [3, 45],
      [5, 50],
      [8, 68],
      [34, 105],
      [55, 178],
      [90, 221],
    ],
    recentHundred: [
      [1, 66],
      [2, 133],
      [3, 171],
      [5, 197],
      [21, 237],
      [34, 245],
      [55, 251],
    ],
    thousand: [
      [1, 70],
      [2, 122],
      [3, 154],
    ],
    recentThousand: [
      [1, 105],
      [13, 126],
      [34, 153],
      [55, 177],
    ],
    weekThousand: [
      [1, 3],
      [2, 24],
      [8, 30],
      [13, 59],
      [34, 77],
      [55, 111],
    ],
    recentTenThousand: [[1, 61]],
    weekTenThousand: [[1, 37]],
  },
} as const;
