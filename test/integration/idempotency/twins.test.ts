import * as fc from 'fast-check';
import type { CacheClient } from '../../../lib/index.js';
import { createTestClient } from '../../../lib/testing/index.js';
import { describeWithServers, leftovers, startServer } from '../../support/index.js';
import type { Server } from '../../support/index.js';
import { outcomes, seed, steps } from '../../unit/features/idempotency/hostile.js';
import { moves, play } from '../../unit/features/idempotency/model.js';
import { closeClients, openClient } from '../open-client.js';

const SEED = Number(process.env['FC_SEED'] ?? 20_240_602);

describeWithServers('the scripts of idempotency', () => {
  let server: Server;
  let lua: CacheClient;
  let twin: CacheClient;

  beforeAll(async () => {
    server = await startServer();
    lua = await openClient({ host: server.host, port: server.port });
    twin = (await createTestClient()).client;
  });
  afterAll(async () => {
    await twin.close();
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('[IDM-4] keep one result on a server, whatever two actors do', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { seen, expected, completed } = await play(lua, sequence);
        expect(seen).toEqual(expected);
        expect(completed.size).toBeLessThanOrEqual(1);
      }),
      { seed: SEED, numRuns: 200 },
    );
  }, 60_000);

  it('answer and store the same as their twins, whatever stood there before', async () => {
    let replays = 0;
    await fc.assert(
      fc.asyncProperty(seed, steps, async (given, sequence) => {
        const onServer = await outcomes(lua, given, sequence);
        expect(onServer).toEqual(await outcomes(twin, given, sequence));
        // Nothing a stranger left makes a script fail.
        expect(onServer.filter((step) => typeof (step as readonly unknown[])[1] === 'string')).toEqual([]);
        replays += onServer.filter((step) => JSON.stringify(step).startsWith('["claim",[3')).length;
      }),
      { seed: SEED, numRuns: 600 },
    );
    expect(replays).toBeGreaterThan(20);
  }, 60_000);
});
