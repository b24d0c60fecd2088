import type { CacheClient } from '../../lib/index.js';
import { describeWithServers, leftovers, type Server, startServer } from '../support/index.js';
import { closeClients, ending, openClient } from './open-client.js';

describeWithServers('operations of one tick', () => {
  let server: Server;
  let client: CacheClient;

  beforeAll(async () => {
    server = await startServer({ users: ['lone on >secret ~* &* +@all -mget'] });
    client = await openClient({ port: server.port });
  });

  beforeEach(async () => {
    await server.command('FLUSHALL');
  });

  afterAll(async () => {
    await closeClients();
    await server.stop();
    expect(leftovers()).toEqual([]);
  });

  it('keep their order, also where reads are merged', async () => {
    const around = (): Promise<unknown>[] => Array.from({ length: 20 }, (_, index) => client.get(`around:${index}`));
    const before = around();
    const results = Promise.all([client.get('a'), client.set('a', '1'), client.get('a'), client.set('a', '2')]);
    const after = around();
    const last = client.get('a');

    expect(await results).toEqual([null, 'OK', '1', 'OK']);
    expect(await last).toBe('2');
    await Promise.all([...before, ...after]);
    expect(await callsOf('mget')).toBeGreaterThan(0);
  });

  it('give a merged GET all that a lone one has: wrong types, missing keys, bytes, duplicates', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await client.set('text', 'value');
    await client.set('bytes', bytes);
    await client.hset('hash', { field: 'value' });
    const filler = Array.from({ length: 40 }, () => client.get('text'));
    const [text, again, missing, wrong] = await Promise.all(
      ['text', 'text', 'missing', 'hash'].map((key) => ending(client.get(key))),
    );
    const buffers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => ending(client.getBuffer(index === 20 ? 'hash' : 'bytes'))),
    );

    expect([text, again, missing]).toEqual(['value', 'value', null]);
    expect(wrong).toMatchObject({ code: 'VALKEY_REPLY', kind: 'WRONGTYPE', subject: 'GET' });
    expect(buffers[0]).toEqual(bytes);
    expect(buffers[20]).toMatchObject({ kind: 'WRONGTYPE' });
    expect(new Set(await Promise.all(filler))).toEqual(new Set(['value']));
  });

  it('work for a user who may not MGET', async () => {
    const lone = await openClient({ port: server.port, credentials: { username: 'lone', password: 'secret' } });
    await lone.set('a', '1');
    for (let round = 0; round < 2; round += 1) {
      expect(await Promise.all(Array.from({ length: 40 }, () => lone.get('a')))).toEqual(Array(40).fill('1'));
    }
  });

  async function callsOf(name: string): Promise<number> {
    const stats = await server.info('commandstats');
    return Number(/calls=(\d+)/.exec(stats[`cmdstat_${name}`] ?? '')?.[1] ?? 0);
  }
});
