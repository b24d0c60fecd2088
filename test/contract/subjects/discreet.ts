import { driverContract, type DriverUnderTest } from 'nestjs-valkey/testing';

import { VALUE_MARK } from '../../../lib/testing/contract/marked.js';
import { Emissions } from './emissions.js';
import { GLOB_PREFIX } from './prefix.js';

/** What the suite's clients know and nobody may tell. */
export const SECRETS = {
  username: 'user-c4nary',
  password: 'pass-c4nary',
  sentinelPassword: 'sentinel-c4nary',
  wrongPassword: 'wrong-c4nary',
} as const;

/** A driver for the contract; with emissions, everything its clients say goes there. */
export type Subject = (emissions?: Emissions) => DriverUnderTest;

/** In every key of the suite. */
const KEY_MARK = 'contract-';

/** Commands of which none was kept from the search: each had a value among its arguments. */
const CARRIERS = ['HSET', 'LPUSH', 'PUBLISH', 'RPUSH', 'SADD', 'SET', 'SETNX', 'SMOVE', 'XADD', 'ZADD'];

/** Where something has to be said, on every topology. */
const OUTLETS = ['error', 'event command', 'event pipeline', 'figures', 'health', 'log', 'metrics', 'span', 'status'];

/**
 * The contract under a prefix with glob characters, with everything that listens switched on; and then a search through
 * all that was said.
 */
export function discreetContract(title: string, subject: Subject): void {
  describe(title, () => {
    const emissions = new Emissions([VALUE_MARK, KEY_MARK]);
    beforeAll(() => emissions.begin());
    driverContract('under a prefix with glob characters', { ...subject(emissions), keyPrefix: GLOB_PREFIX });
    it('[OBS-1] [HOK-4] [CFG-6] tells no value, key or secret: in no event, log line, label, span, error or status', async () => {
      await emissions.end();

      for (const said of [VALUE_MARK, KEY_MARK, GLOB_PREFIX, ...Object.values(SECRETS)]) {
        expect(emissions.containing(said)).toEqual([]);
      }
      // Otherwise nothing was there to be told, or nobody listened.
      expect(emissions.carriersOf(VALUE_MARK)).toEqual(expect.arrayContaining([...CARRIERS]));
      expect(emissions.carriersOf(KEY_MARK).length).toBeGreaterThan(100);
      expect(Object.keys(emissions.counts)).toEqual(expect.arrayContaining(OUTLETS));
    });
  });
}
