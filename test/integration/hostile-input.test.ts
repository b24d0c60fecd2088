import { assert, asyncProperty, string, uint8Array } from 'fast-check';
import type { CacheClient } from '../../lib/index.js';
import { describeWithServers, leftovers, type Server, startServer } from '../support/index.js';
import { closeClients, codeOf, ending, openClient } from './open-client.js';

const NASTY = [
  'with\r\nFLUSHALL\r\nline breaks',
  '*1\r\n$8\r\nFLUSHALL\r\n',
  'nul\0inside',
  '{brace}d {}{ }{',
  'glob*?[a-z]\\',
  '__proto__',
  'constructor',
  'toString',
  '',
  '\u{1f600} \ud800 lone',
  'x'.repeat(1_000_000),
];

describeWithServers('hostile input', () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer();
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
  });

  afterEach(closeClients);

  afterAll(async () => {
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  describe.each(['single', 'embedded'])('on %s', (kind) => {
    let client: CacheClient;

    beforeEach(async () => {
      client = await openClient(kind === 'single' ? { port: server.port } : { mode: 'embedded' });
    });

    it('[F16] as keys, values, fields and members comes back as it was, and nothing else happens', async () => {
      const texts = NASTY.filter(isWellFormed);
      for (const text of texts) {
        await client.set(`key ${text}`, text);
        await client.hset('hash', { [text]: text });
        await client.sadd('set', text);
        await client.rpush('list', text);
      }

      for (const text of texts) expect(await client.get(`key ${text}`)).toBe(text);
      expect(await client.lrange('list', 0, -1)).toEqual(texts);
      expect(new Set(await client.smembers('set'))).toEqual(new Set(texts));
      expect(new Map(Object.entries(await client.hgetall('hash')))).toEqual(new Map(texts.map((text) => [text, text])));
      expect(await client.call('DBSIZE')).toBe(texts.length + 3);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    });

    it('[F16] in pipelines, transactions and merged reads stays in its place', async () => {
      const keys = ['__proto__', 'constructor', 'then', 'a\r\nb', 'c\0d', '{x'];
      const stored = await client.pipeline((p) => keys.map((key) => p.set(key, `value of ${key}`)));
      const [proto] = await client.transaction((t) => [t.get('__proto__')]);
      const merged = await Promise.all(Array.from({ length: 48 }, (_, index) => client.get(keys[index % 6] as string)));

      expect(stored).toEqual(keys.map(() => 'OK'));
      expect(proto).toBe('value of __proto__');
      expect(merged).toEqual(Array.from({ length: 48 }, (_, index) => `value of ${keys[index % 6]}`));
    });

    it('[F16] as a command name or an argument that is none is refused with a typed error', async () => {
      for (const name of ['GET\r\nFLUSHALL', '__proto__', '', 'constructor']) {
        expect(typeof codeOf(await ending(client.call(name, 'a')))).toBe('string');
      }
      for (const bad of [undefined, null, {}, Number.NaN, Symbol('s')]) {
        expect(codeOf(await ending(client.call('SET', 'a', bad as never)))).toBe('VALKEY_ARGUMENT_INVALID');
      }
      expect(await client.call('DBSIZE')).toBe(0);
    });

    it('[F16] of any text and any bytes makes the round trip', async () => {
      const text = string({ unit: 'binary' }).filter(isWellFormed);
      await assert(
        asyncProperty(text, text, async (key, value) => {
          await client.set(key, value);
          expect(await client.get(key)).toBe(value);
        }),
        { numRuns: 150 },
      );
      await assert(
        asyncProperty(uint8Array(), uint8Array(), async (key, value) => {
          await client.set(Buffer.from(key), Buffer.from(value));
          expect(await client.getBuffer(Buffer.from(key))).toEqual(Buffer.from(value));
        }),
        { numRuns: 150 },
      );
    });
  });
});

/** Text with half a surrogate pair has no bytes of its own, so it cannot come back. */
function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}
