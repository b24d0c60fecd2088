import * as fc from 'fast-check';
import { ALGORITHMS, arrivals, expectAsModel, tierOf } from '../../unit/features/rate-limit/arrivals.js';
import { outcomes, seed, steps } from '../../unit/features/rate-limit/hostile.js';
import { embeddedPlace } from '../../unit/features/rate-limit/place.js';
import type { Place } from '../../unit/features/rate-limit/place.js';
import { expectExactWait, situations } from '../../unit/features/rate-limit/retry-after.js';
import { outcomesOfTurns, turns } from '../../unit/features/rate-limit/turns.js';
import { expectOutcomes, VECTORS } from '../../unit/features/rate-limit/vectors.js';
import { describeWithServers, leftovers, startServer } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { closeClients, openClient } from '../open-client.js';
import { serverPlace } from './server-place.js';

const SEED = Number(process.env['FC_SEED'] ?? 20_240_602);

describeWithServers('the scripts of the limits', () => {
  let server: Server;
  let lua: Place;
  let twin: Place;

  beforeAll(async () => {
    server = await startServer();
    lua = serverPlace(server, await openClient({ host: server.host, port: server.port }));
    twin = await embeddedPlace();
  });
  afterAll(async () => {
    await twin.close();
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it.each(ALGORITHMS)(
    'decide as the model does on a server: %s',
    async (algorithm) => {
      await fc.assert(
        fc.asyncProperty(tierOf(algorithm), arrivals(40), async (tier, sequence) => {
          await lua.empty();
          await expectAsModel(lua, [tier], sequence);
        }),
        { seed: SEED, numRuns: 40 },
      );
    },
    60_000,
  );

  it.each(VECTORS.map((vector) => [vector.title, vector] as const))('on a server: %s', (_title, vector) =>
    expectOutcomes(lua, vector),
  );

  it('[L4] admit on a server who waited exactly, and nobody a millisecond earlier', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(situations, async ({ tiers, seeds, cost }) => {
        if (await expectExactWait(lua, tiers, seeds, cost)) refused += 1;
      }),
      { seed: SEED, numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(50);
  }, 60_000);

  it.each(ALGORITHMS)(
    'answer and store the same as their twins, whatever stood there before: %s',
    async (algorithm) => {
      const seeds = fc.array(fc.option(seed, { freq: 8 }), { minLength: 2, maxLength: 2 });
      await fc.assert(
        fc.asyncProperty(tierOf(algorithm), seeds, steps, async (tier, given, sequence) => {
          const planted = given.map((each) => each ?? undefined);
          const [onServer, embedded] = [
            await outcomes(lua, [tier], planted, sequence),
            await outcomes(twin, [tier], planted, sequence),
          ];
          expect(onServer).toEqual(embedded);
          // Nothing a stranger left makes a script fail.
          expect(onServer.filter(({ reply }) => typeof reply === 'string')).toEqual([]);
        }),
        { seed: SEED, numRuns: 400 },
      );
    },
    60_000,
  );

  it('[L1] decide on calls that arrive together as on the same one by one, and as their twins', async () => {
    await fc.assert(
      fc.asyncProperty(turns, async (given) => {
        const together = await outcomesOfTurns(lua, given, true);
        expect(together).toEqual(await outcomesOfTurns(lua, given, false));
        expect(together).toEqual(await outcomesOfTurns(twin, given, true));
      }),
      { seed: SEED, numRuns: 150 },
    );
  }, 120_000);
});
