import type { CachingOptions } from '../../../lib/index.js';
import { CacheService, createClient, resolveSettings } from '../../../lib/index.js';
import { describeWithServers, startServer, until } from '../../support/index.js';
import { DEPLOYMENTS } from './deployments.js';
import type { Deployment } from './deployments.js';
import { gate } from './gate.js';

for (const [name, start] of Object.entries(DEPLOYMENTS)) {
  describeWithServers(`what was acknowledged, on ${name}`, () => {
    let deployment: Deployment;

    beforeAll(async () => {
      deployment = await start();
    });
    afterEach(() => deployment.reset());
    afterAll(() => deployment.stop());

    it('[C6] a tag ends all near entries that carry it, also those that were read at the same time', async () => {
      const there = await deployment.open({ near: false });
      const here = await deployment.open();
      const cache = here.caching.cache();
      const keys = ['a', 'b', 'c'];
      for (const key of keys) await there.caching.set(key, 'old', { tags: ['t'] });
      // Together, and of a tag this process knows nothing about yet.
      const read = (): Promise<unknown[]> => Promise.all(keys.map((key) => here.caching.get(key)));
      await until(async () => (await read(), cache.near.entries > 0), { what: 'something is kept near' });
      await here.caching.invalidateTags('t');
      expect(await read()).toEqual([undefined, undefined, undefined]);
    });

    it('[CAC-1] who writes may read the entry meanwhile, also where there is none yet', async () => {
      const { caching } = await deployment.open({ hardTimeout: '3s' });
      let loads = 0;
      const find = (): Promise<{ name: string }> =>
        caching.getOrLoad('k', () => {
          loads += 1;
          return { name: 'old' };
        });
      const renamed = await caching.cache().put('k', async () => ({ ...(await find()), name: 'new' }));
      expect(renamed).toEqual({ name: 'new' });
      expect(await find()).toEqual({ name: 'new' });
      expect(loads).toBe(1);
    });

    it('[C1] a @CachePut that outlives its time does not leave the old entry behind', async () => {
      const options: CachingOptions = { hardTimeout: 50 };
      const { caching } = await deployment.open(options);
      await caching.set('k', 'old');
      const slow = gate<string>();
      const put = caching.cache().put('k', slow.load);
      await expect(put).rejects.toMatchObject({ code: 'VALKEY_LOAD_TIMEOUT' });
      slow.finish('new');
      await until(async () => (await caching.get('k')) === undefined, { what: 'the old entry is gone' });
    });
  });
}

describeWithServers('what was acknowledged, and then the server is gone', () => {
  it('[C1] [C3] a tag invalidated during a load keeps others from joining it', async () => {
    const server = await startServer();
    const { settings } = resolveSettings(
      { host: server.host, port: server.port, drain: 100, resilience: { timeout: 200 } },
      {},
    );
    const client = createClient(settings);
    await client.connect();
    try {
      const caching = new CacheService(client);
      const old = gate<string>();
      const first = caching.getOrLoad('k', old.load, { tags: ['t'] });
      await until(() => old.calls() === 1, { what: 'the load begins' });
      await caching.invalidateTags('t');
      await server.stop();
      const second = caching.getOrLoad('k', () => 'new', { tags: ['t'] });
      const got = Promise.race([second, first]);
      // It would come with the first, if it had joined it.
      const late = setTimeout(() => old.finish('old'), 2_000);
      expect(await got).toBe('new');
      clearTimeout(late);
      old.finish('old');
      expect(await first).toBe('old');
    } finally {
      await client.close();
      await server.stop();
    }
  });
});
