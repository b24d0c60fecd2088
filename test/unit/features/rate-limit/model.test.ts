import * as fc from 'fast-check';
import { ALGORITHMS, arrivals, expectAsModel, tierOf } from './arrivals.js';
import { embeddedPlace } from './place.js';
import type { Place } from './place.js';
import { outcomesOfTurns, turns } from './turns.js';

const SEED = 20_240_601;
const LENGTH = 60;

describe('decisions of a limiter', () => {
  let place: Place;

  beforeAll(async () => {
    place = await embeddedPlace();
  });
  beforeEach(() => place.empty());
  afterAll(() => place.close());

  it.each(ALGORITHMS)(
    'are those of the model for random arrivals and costs: %s',
    async (algorithm) => {
      let [admitted, refused] = [0, 0];
      await fc.assert(
        fc.asyncProperty(tierOf(algorithm), arrivals(LENGTH), async (tier, sequence) => {
          await place.empty();
          const tally = await expectAsModel(place, [tier], sequence);
          admitted += tally.admitted;
          refused += tally.refused;
        }),
        { seed: SEED, numRuns: 60 },
      );
      // The arrivals are about something.
      expect(admitted).toBeGreaterThan(500);
      expect(refused).toBeGreaterThan(500);
    },
    60_000,
  );

  it('[L2] are those of the model for several tiers: all of them count, or none', async () => {
    const tier = fc.oneof(...ALGORITHMS.map((algorithm) => tierOf(algorithm)));
    let [admitted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(tier, { minLength: 2, maxLength: 4 }), arrivals(LENGTH), async (tiers, sequence) => {
        await place.empty();
        const tally = await expectAsModel(place, tiers, sequence);
        admitted += tally.admitted;
        refused += tally.refused;
      }),
      { seed: SEED, numRuns: 50 },
    );
    expect(admitted).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(500);
  }, 60_000);

  it('are the same for calls that arrive together as one by one', async () => {
    await fc.assert(
      fc.asyncProperty(turns, async (given) => {
        expect(await outcomesOfTurns(place, given, true)).toEqual(await outcomesOfTurns(place, given, false));
      }),
      { seed: SEED, numRuns: 300 },
    );
  }, 60_000);
});
