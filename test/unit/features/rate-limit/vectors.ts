import type { Limits } from '../../../../lib/index.js';
import type { Place } from './place.js';

/** Milliseconds since the beginning, what is done then, and what becomes of it. */
export type Moment = readonly [
  at: number,
  what: 'consume' | 'check' | 'refund' | 'reset',
  cost: number,
  /** `admitted`, or the milliseconds to wait; then for each tier what remains and the milliseconds until all is back. */
  outcome?: readonly ['admitted' | number | 'never', ...(readonly [remaining: number, reset: number])[]],
];

export interface Vector {
  readonly title: string;
  readonly limits: Limits;
  readonly moments: readonly Moment[];
}

/** Worked out by hand. */
export const VECTORS: readonly Vector[] = [
  {
    title: 'a fixed window begins with the first call and ends as a whole',
    limits: { limit: 3, window: 1_000, algorithm: 'fixed-window' },
    moments: [
      [0, 'consume', 0, ['admitted', [3, 0]]],
      [250, 'consume', 1, ['admitted', [2, 1_000]]],
      [300, 'consume', 2, ['admitted', [0, 950]]],
      [301, 'consume', 1, [949, [0, 949]]],
      [1_249, 'consume', 1, [1, [0, 1]]],
      [1_250, 'consume', 3, ['admitted', [0, 1_000]]],
    ],
  },
  {
    title: '[L3] what costs more than is left is refused, and leaves what is left',
    limits: { limit: 5, window: 1_000, algorithm: 'fixed-window' },
    moments: [
      [0, 'consume', 3, ['admitted', [2, 1_000]]],
      [100, 'consume', 3, [900, [2, 900]]],
      [100, 'consume', 2, ['admitted', [0, 900]]],
      [100, 'consume', 0, ['admitted', [0, 900]]],
    ],
  },
  {
    title: 'a sliding window counts the one before by the part that is in sight',
    limits: { limit: 10, window: 1_000, algorithm: 'sliding-window' },
    moments: [
      [0, 'consume', 10, ['admitted', [0, 1_901]]],
      // From 1001 on not all ten are in sight: nine, in whole calls.
      [0, 'consume', 1, [1_001, [0, 1_901]]],
      [1_000, 'consume', 1, [1, [0, 901]]],
      [1_001, 'check', 1, ['admitted', [0, 1_000]]],
      [1_100, 'consume', 1, ['admitted', [0, 901]]],
      [1_500, 'consume', 4, ['admitted', [0, 1_301]]],
      // 5 of 10 in the window from 1000 on; half of them, two whole ones, in sight at 2500.
      [2_500, 'consume', 9, [101, [8, 301]]],
      [2_500, 'consume', 8, ['admitted', [0, 1_376]]],
      [9_000, 'check', 10, ['admitted', [0, 1_901]]],
      [9_000, 'consume', 0, ['admitted', [10, 0]]],
    ],
  },
  {
    title: 'a sliding log forgets each call when its window has passed',
    limits: { limit: 3, window: 1_000, algorithm: 'sliding-log' },
    moments: [
      [0, 'consume', 1, ['admitted', [2, 1_000]]],
      [400, 'consume', 2, ['admitted', [0, 1_000]]],
      [999, 'consume', 1, [1, [0, 401]]],
      [1_000, 'consume', 2, [400, [1, 400]]],
      [1_000, 'consume', 1, ['admitted', [0, 1_000]]],
      [1_400, 'consume', 3, [600, [2, 600]]],
      [1_400, 'consume', 2, ['admitted', [0, 1_000]]],
    ],
  },
  {
    title: 'a token bucket fills evenly, up to its burst',
    limits: { limit: 10, window: 1_000, algorithm: 'token-bucket', burst: 3 },
    moments: [
      [0, 'consume', 3, ['admitted', [0, 300]]],
      [0, 'consume', 1, [100, [0, 300]]],
      [99, 'consume', 1, [1, [0, 201]]],
      [100, 'consume', 1, ['admitted', [0, 300]]],
      [350, 'consume', 3, [50, [2, 50]]],
      [350, 'consume', 2, ['admitted', [0, 250]]],
      [5_000, 'consume', 4, ['never']],
      [5_000, 'consume', 0, ['admitted', [3, 0]]],
    ],
  },
  {
    title: '[L2] what one tier refuses no tier counts, and the one to wait for longest is named',
    limits: [
      { limit: 2, window: 100, algorithm: 'fixed-window' },
      { limit: 3, window: 1_000, algorithm: 'sliding-log' },
    ],
    moments: [
      [0, 'consume', 2, ['admitted', [0, 100], [1, 1_000]]],
      [50, 'consume', 1, [50, [0, 50], [1, 950]]],
      [100, 'consume', 1, ['admitted', [1, 100], [0, 1_000]]],
      [110, 'consume', 1, [890, [1, 90], [0, 990]]],
      [150, 'consume', 1, [850, [1, 50], [0, 950]]],
    ],
  },
  {
    title: 'a block longer than the window keeps out who was refused, also when there is room',
    limits: { limit: 1, window: 100, algorithm: 'fixed-window', block: 1_000 },
    moments: [
      [0, 'consume', 1, ['admitted', [0, 100]]],
      [10, 'check', 1, [1_000, [0, 90]]],
      [10, 'consume', 1, [1_000, [0, 90]]],
      [500, 'consume', 1, [510, [1, 0]]],
      [1_009, 'consume', 1, [1, [1, 0]]],
      [1_010, 'consume', 1, ['admitted', [0, 100]]],
    ],
  },
  {
    title: 'a block shorter than the window ends when there is room, and does not begin again',
    limits: { limit: 1, window: 1_000, algorithm: 'fixed-window', block: 100 },
    moments: [
      [0, 'consume', 1, ['admitted', [0, 1_000]]],
      [500, 'consume', 1, [500, [0, 500]]],
      [700, 'consume', 1, [300, [0, 300]]],
      [999, 'consume', 1, [1, [0, 1]]],
      [1_000, 'consume', 1, ['admitted', [0, 1_000]]],
    ],
  },
  {
    title: 'a refund gives back what was taken last, a reset everything and the block',
    limits: { limit: 4, window: 1_000, algorithm: 'sliding-log', block: 5_000 },
    moments: [
      [0, 'consume', 1, ['admitted', [3, 1_000]]],
      [500, 'consume', 3, ['admitted', [0, 1_000]]],
      [500, 'refund', 2],
      [500, 'consume', 0, ['admitted', [2, 1_000]]],
      [600, 'consume', 3, [5_000, [2, 900]]],
      [600, 'refund', 9],
      [600, 'consume', 0, ['admitted', [4, 0]]],
      [600, 'consume', 1, [5_000, [4, 0]]],
      [600, 'reset', 0],
      [600, 'consume', 4, ['admitted', [0, 1_000]]],
    ],
  },
  {
    title: 'a block lasts until there is room, also in a bucket that takes longer to fill than its window',
    limits: { limit: 1, window: 1_000, algorithm: 'token-bucket', burst: 5, block: 1 },
    moments: [
      [0, 'consume', 5, ['admitted', [0, 5_000]]],
      [0, 'consume', 5, [5_000, [0, 5_000]]],
      [500, 'consume', 1, [4_500, [0, 4_500]]],
      [1_000, 'consume', 1, [4_000, [1, 4_000]]],
      [5_000, 'consume', 5, ['admitted', [0, 5_000]]],
    ],
  },
];

/** Puts a vector to a limiter. */
export async function expectOutcomes(place: Place, { limits, moments }: Vector): Promise<void> {
  await place.empty();
  const begin = place.now;
  const limiter = place.limiter();
  for (const [at, what, cost, outcome] of moments) {
    place.now = begin + at;
    const decision = await (what === 'reset' ? limiter.reset('s', limits) : limiter[what]('s', limits, { cost }));
    const seen = decision && [
      decision.admitted ? 'admitted' : (decision.retryAfter ?? 'never'),
      ...decision.tiers.map(({ remaining, reset }) => [remaining, reset]),
    ];
    expect([at, what, cost, seen]).toEqual([at, what, cost, outcome]);
  }
}
