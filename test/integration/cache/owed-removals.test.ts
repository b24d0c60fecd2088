import { Injectable } from '@nestjs/common';
import { Cacheable, CACHE_SERVICE, CacheEvict, CachePut, CacheService, ValkeyModule } from '../../../lib/index.js';
import {
  describeWithServers,
  leftovers,
  startFaultProxy,
  startServer,
  until,
  watchUnhandled,
} from '../../support/index.js';
import type { FaultProxy, Server, UnhandledWatch } from '../../support/index.js';
import { closeApplications, start } from '../../unit/nest/application.js';

@Injectable()
class Names {
  readonly names = new Map<string, string>();

  @Cacheable({ key: '{0}', tags: ['names'] })
  async find(id: string): Promise<string | undefined> {
    return this.names.get(id);
  }

  @CacheEvict({ key: '{0}' })
  async rename(id: string, name: string): Promise<string> {
    this.names.set(id, name);
    return name;
  }

  @CachePut({ key: '{0}' })
  async replace(id: string, name: string): Promise<string> {
    this.names.set(id, name);
    return name;
  }

  @CacheEvict({ tags: ['names'] })
  async forgetTagged(): Promise<void> {
    this.names.clear();
  }

  @CacheEvict({ all: true })
  async forgetAll(): Promise<void> {
    this.names.clear();
  }
}

describeWithServers('[CAC-1] what could not be evicted during an outage', () => {
  let server: Server;
  let proxy: FaultProxy;
  let unhandled: UnhandledWatch;
  let names: Names;
  let caching: CacheService;

  beforeEach(async () => {
    unhandled = watchUnhandled();
    server = await startServer();
    proxy = await startFaultProxy(server);
    const { host, port } = proxy;
    const resilience = { timeout: 300, breaker: { halfOpenAfter: 100 } };
    const application = await start({
      imports: [ValkeyModule.forRoot({ host, port, resilience, logLevel: 'silent', cache: { near: false } })],
      providers: [Names],
    });
    names = application.get(Names);
    caching = application.get<CacheService>(CACHE_SERVICE);
    for (const id of ['a', 'b']) {
      names.names.set(id, 'old');
      await names.find(id);
    }
    await caching.idle();
    expect([await caching.get('a'), await caching.get('b')]).toEqual(['old', 'old']);
  });

  afterEach(async () => {
    await closeApplications();
    await proxy.close();
    await server.stop();
    expect(await unhandled.stop()).toEqual([]);
  });

  afterAll(() => expect(leftovers()).toEqual([]));

  it.each<[string, () => Promise<unknown>, readonly (string | undefined)[]]>([
    ['a key of @CacheEvict()', () => names.rename('a', 'new'), ['new', 'old']],
    ['the old value of @CachePut()', () => names.replace('a', 'new'), ['new', 'old']],
    ['a tag', () => names.forgetTagged(), [undefined, undefined]],
    ['a whole cache', () => names.forgetAll(), [undefined, undefined]],
    [
      'a whole cache, and a key of that name',
      async () => {
        await names.forgetAll();
        await names.replace('all', 'new');
      },
      [undefined, undefined],
    ],
  ])('is evicted when the store is back: %s', async (_what, change, expected) => {
    await proxy.refuse();
    proxy.cut();
    await change();
    await proxy.accept();
    // From the store, and not because it is away.
    const stored = async (id: string): Promise<unknown> => {
      await names.find(id);
      await caching.idle();
      return caching.lookup(id);
    };
    const wanted = JSON.stringify(expected.map((value) => ({ value })));
    await until(async () => JSON.stringify([await stored('a'), await stored('b')]) === wanted, {
      what: 'the store has what is true',
    });
  });
});
