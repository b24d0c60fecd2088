import * as fc from 'fast-check';
import { embeddedPlace } from './place.js';
import type { Place } from './place.js';
import { expectExactWait, situations } from './retry-after.js';

describe('who is refused and waits', () => {
  let place: Place;

  beforeAll(async () => {
    place = await embeddedPlace();
  });
  afterAll(() => place.close());

  it('[L4] exactly as long as told is admitted, and a millisecond earlier is not: for each state and cost', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(situations, async ({ tiers, seeds, cost }) => {
        if (await expectExactWait(place, tiers, seeds, cost)) refused += 1;
      }),
      { seed: 20_240_603, numRuns: 3_000 },
    );
    expect(refused).toBeGreaterThan(500);
  }, 60_000);
});
