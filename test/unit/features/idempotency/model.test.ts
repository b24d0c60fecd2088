import * as fc from 'fast-check';
import type { CacheClient } from '../../../../lib/index.js';
import { createTestClient } from '../../../../lib/testing/index.js';
import { moves, play } from './model.js';

const SEED = Number(process.env['FC_SEED'] ?? 20_240_602);

let client: CacheClient;
let close: () => Promise<void>;

beforeAll(async () => {
  const made = await createTestClient();
  client = made.client;
  close = () => made.client.close();
});
afterAll(() => close());

it('[IDM-4] two actors never keep two results, whatever they do and whatever befalls them', async () => {
  let replays = 0;
  let losses = 0;
  await fc.assert(
    fc.asyncProperty(moves, async (sequence) => {
      const { seen, expected, completed, replayed } = await play(client, sequence);
      expect(seen).toEqual(expected);
      expect(completed.size).toBeLessThanOrEqual(1);
      for (const result of replayed) expect(completed).toContain(result);
      replays += replayed.size;
      losses += seen.filter((step) => JSON.stringify(step) === '["complete",0]').length;
    }),
    { seed: SEED, numRuns: 2_000 },
  );
  // Otherwise it proves nothing.
  expect(replays).toBeGreaterThan(50);
  expect(losses).toBeGreaterThan(40);
});
