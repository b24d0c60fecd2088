import { CacheService, events, typedJson } from '../../../lib/index.js';
import type { CacheClient, CacheEvent, CacheOptions, Codec } from '../../../lib/index.js';
import { messagePack } from '../../../lib/msgpack/index.js';
import { describeWithServers, startServer } from '../../support/index.js';
import { closeClients, openClient } from '../open-client.js';

/** Somebody's own: typed JSON, read backwards. */
const backwards: Codec = {
  name: 'backwards',
  encode: (value) =>
    Array.from(typedJson.encode(value) as string)
      .toReversed()
      .join(''),
  decode: (data) => typedJson.decode(Array.from(String(data)).toReversed().join('')),
};

const FORMATS: Record<string, CacheOptions> = {
  'typed JSON': {},
  MessagePack: { codec: messagePack() },
  'a codec of its own': { codec: backwards },
  'typed JSON, compressed': { compressAbove: 100 },
  'MessagePack, compressed': { codec: messagePack(), compressAbove: 100 },
  'a codec of its own, compressed': { codec: backwards, compressAbove: 100 },
};

const VALUES: Record<string, unknown> = {
  date: new Date(5),
  bigint: 2n ** 70n,
  map: new Map([['a', new Set([1, Number.NaN])]]),
  buffer: Buffer.from([0, 255, 10]),
  bytes: Uint8Array.from([0, 255, 10]),
  null: null,
  undefined,
  minusZero: -0,
  empty: '',
  text: 'ä 中 🙂\n',
  long: { text: 'again and again, '.repeat(200), at: new Date(7), list: [undefined, Infinity] },
};

const SITES = {
  embedded: (): Promise<{ options: object; stop(): Promise<void> }> =>
    Promise.resolve({ options: { mode: 'embedded' }, stop: () => Promise.resolve() }),
  single: async (): Promise<{ options: object; stop(): Promise<void> }> => {
    const server = await startServer();
    return { options: { host: server.host, port: server.port }, stop: () => server.stop() };
  },
};

/** Where the entry of a key of the cache `default` is stored. */
const stored = (key: string): string => `cache:default:1{:${key}}`;

for (const [site, start] of Object.entries(SITES)) {
  describeWithServers(`[CAC-8] formats of a cache on ${site}`, () => {
    let client: CacheClient;
    let stop: () => Promise<void>;

    beforeAll(async () => {
      const place = await start();
      ({ stop } = place);
      client = await openClient({ ...place.options });
    });
    afterEach(() => client.call('FLUSHALL'));
    afterAll(async () => {
      await closeClients();
      await stop();
    });

    const caching = (options: CacheOptions): CacheService => new CacheService(client, { near: false, ...options });
    const never = (): never => {
      throw new Error('nothing is to be loaded');
    };
    const unreadable = async (run: () => Promise<void>): Promise<number> => {
      const seen: CacheEvent[] = [];
      const stopListening = events.cache.subscribe((event) => {
        if (event.kind === 'unreadable' && event.clientId === client.identity.clientId) seen.push(event);
      });
      await run().finally(stopListening);
      expect(seen.every(({ cache }) => cache === 'default')).toBe(true);
      return seen.length;
    };

    for (const [format, options] of Object.entries(FORMATS)) {
      it(`[C8] ${format} gives back what was stored, to the loader's caller and to everybody after`, async () => {
        const here = caching(options);
        for (const [key, value] of Object.entries(VALUES)) {
          expect(await here.getOrLoad(key, () => value)).toStrictEqual(value);
        }
        await here.idle();
        const there = caching(options);
        for (const [key, value] of Object.entries(VALUES)) {
          expect(await there.getOrLoad(key, never)).toStrictEqual(value);
        }
      });

      it(`[C8] ${format}: an entry that is damaged is a miss with an event`, async () => {
        const cache = caching(options);
        await cache.set('k', VALUES['long']);
        const whole = await client.getBuffer(stored('k'));
        if (whole === null) throw new Error('it is not stored where this test looks');
        const header = whole.indexOf(0x0a) + 1;
        const damages = {
          'cut off': whole.subarray(0, -10),
          'without a value': whole.subarray(0, header),
          overwritten: Buffer.concat([whole.subarray(0, header), Buffer.alloc(whole.length - header, 0xc1)]),
          'of no format': Buffer.from('something else entirely, and long enough to be one\n{}'),
        };
        for (const [damage, data] of Object.entries(damages)) {
          await client.set(stored('k'), data);
          const events = await unreadable(async () => {
            expect(await cache.getOrLoad('k', () => damage)).toBe(damage);
          });
          expect({ damage, told: events > 0 }).toEqual({ damage, told: true });
          await cache.idle();
          // What was loaded instead is stored, and can be read.
          expect(await cache.getOrLoad('k', never)).toBe(damage);
        }
      });
    }

    it('an entry of another codec is a miss with an event, also with bytes that both could read', async () => {
      const formats = Object.entries(FORMATS);
      for (const [from, writes] of formats) {
        for (const [to, reads] of formats) {
          // A cache that compresses above a size reads its own entries with and without.
          if (nameOf(writes) === nameOf(reads)) continue;
          await caching(writes).set('k', 1);
          const events = await unreadable(async () => {
            expect(await caching(reads).getOrLoad('k', () => `${from} → ${to}`)).toBe(`${from} → ${to}`);
          });
          expect({ from, to, told: events > 0 }).toEqual({ from, to, told: true });
          await client.call('FLUSHALL');
        }
      }
    });

    it('what is compressed takes less at the server, and what is short is left as it is', async () => {
      for (const codec of [typedJson, messagePack(), backwards]) {
        const sizes: number[] = [];
        for (const compressAbove of [false, 100] as const) {
          const cache = caching({ codec, compressAbove });
          await cache.set('long', VALUES['long']);
          await cache.set('short', 'short');
          sizes.push(await client.strlen(stored('long')), await client.strlen(stored('short')));
        }
        const [plainLong = 0, plainShort = 0, compressedLong = 0, compressedShort = 0] = sizes;
        expect(plainLong).toBeGreaterThan(3_000);
        expect(compressedLong).toBeLessThan(plainLong / 4);
        expect(compressedShort).toBe(plainShort);
      }
    });

    it('a cache whose threshold changed reads what was written before', async () => {
      await caching({ compressAbove: 100 }).set('k', VALUES['long']);
      await caching({}).set('j', VALUES['long']);
      expect(await caching({ compressAbove: 1_000_000 }).getOrLoad('k', never)).toStrictEqual(VALUES['long']);
      expect(await caching({ compressAbove: 100 }).getOrLoad('j', never)).toStrictEqual(VALUES['long']);
    });
  });
}

function nameOf({ codec = typedJson }: CacheOptions): string {
  return codec.name;
}
