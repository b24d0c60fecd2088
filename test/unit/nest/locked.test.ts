import { ConflictException, Controller, HttpCode, Inject, Injectable, Param, Post } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import type { Server as HttpServer } from 'node:http';
import request from 'supertest';
import {
  CACHE_CLIENT,
  clientToken,
  currentLock,
  InjectLocks,
  LOCK_SERVICE,
  Locked,
  LockService,
  lockServiceToken,
  ValkeyModule,
} from '../../../lib/index.js';
import type { CacheClient, LockModuleOptions, LockOptions } from '../../../lib/index.js';
import { TestValkeyModule } from '../../../lib/testing/index.js';
import { until } from '../../support/index.js';
import { closeApplications, start, startFailure } from './application.js';

const embedded = ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', lock: { wait: '2s' } });

afterEach(closeApplications);

@Injectable()
class Shipping {
  inside = 0;
  most = 0;
  release: () => void = () => undefined;

  @Locked({ key: (id: string) => `order:${id}` })
  async ship(id: string): Promise<readonly string[] | undefined> {
    this.inside += 1;
    this.most = Math.max(this.most, this.inside);
    await new Promise(setImmediate);
    this.inside -= 1;
    return id === '' ? [] : currentLock()?.names;
  }

  @Locked({ key: ['account:{0.id}', 'account:{1.id}'] })
  async transfer(_from: { readonly id: string }, _to: { readonly id: string }): Promise<readonly string[] | undefined> {
    return currentLock()?.names;
  }

  @Locked({ key: (ids: readonly string[]) => ids })
  async all(_ids: readonly string[]): Promise<readonly string[] | undefined> {
    return currentLock()?.names;
  }

  @Locked({ key: 'order:{0}', wait: 0, error: (error) => new ConflictException(error.code) })
  async busy(_id: string): Promise<string> {
    await new Promise<void>((resolve) => (this.release = resolve));
    return 'done';
  }

  @Locked({ key: 'nested', error: () => new Error('The lock is busy.') })
  async throwing(error: Error): Promise<void> {
    throw error;
  }
}

@Controller('orders')
class OrderController {
  constructor(@Inject(Shipping) private readonly shipping: Shipping) {}

  @Post(':id/ship')
  @HttpCode(200)
  @Locked({ key: 'shipment:{0}', wait: 0, error: () => new ConflictException('It is being shipped.') })
  async ship(
    @Param('id') id: string,
  ): Promise<{ readonly id: string; readonly locked: readonly string[] | undefined }> {
    const locked = currentLock()?.names;
    await this.shipping.busy(id);
    return { id, locked };
  }
}

describe('[LCK-1] @Locked()', () => {
  let application: INestApplication<HttpServer>;
  let shipping: Shipping;
  let client: CacheClient;

  beforeEach(async () => {
    application = await start({ imports: [embedded], providers: [Shipping], controllers: [OrderController] });
    shipping = application.get(Shipping);
    client = application.get<CacheClient>(CACHE_CLIENT);
  });

  it('lets one in at a time for one key, and gives the lock to what runs', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => shipping.ship('a')));
    expect(results).toEqual(results.map(() => ['order:a']));
    expect(shipping.most).toBe(1);
    await Promise.all(Array.from({ length: 10 }, (_, index) => shipping.ship(String(index))));
    expect(shipping.most).toBeGreaterThan(1);
  });

  it('[LCK-2] locks several names, by templates and by a function', async () => {
    expect(await shipping.transfer({ id: 'b' }, { id: 'a' })).toEqual(['account:b', 'account:a']);
    expect(await shipping.all(['x', 'y'])).toEqual(['x', 'y']);
    await expect(shipping.all([])).rejects.toThrow('Shipping.all has given an empty list');
    await expect(shipping.all('' as never)).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
  });

  it('says that it is busy in the words it is told', async () => {
    const first = shipping.busy('a');
    await until(() => client.exists('lock:{:order:a}'), { what: 'it runs' });
    await expect(shipping.busy('a')).rejects.toThrow(ConflictException);
    await expect(shipping.busy('a')).rejects.toThrow('VALKEY_LOCK_NOT_ACQUIRED');
    await client.del('lock:{:order:a}');
    shipping.release();
    await expect(first).rejects.toThrow('VALKEY_LOCK_LOST');
  });

  it('leaves the method its own errors, also those of a lock further in', async () => {
    const own = new Error('mine');
    await expect(shipping.throwing(own)).rejects.toBe(own);
    const inner = await application
      .get<LockService>(LOCK_SERVICE)
      .using('x', () => application.get<LockService>(LOCK_SERVICE).acquire('x', { wait: 0 }))
      .catch((error: Error) => error);
    await expect(shipping.throwing(inner as Error)).rejects.toBe(inner);
    expect(await client.exists('lock:{:nested}')).toBe(0);
  });

  it('stands on handlers of controllers, which keep their routes and parameters', async () => {
    const server = application.getHttpServer();
    const first = request(server)
      .post('/orders/7/ship')
      .then((response) => response);
    await until(() => client.exists('lock:{:order:7}'), { what: 'it runs' });
    await request(server).post('/orders/7/ship').expect(409);
    shipping.release();
    expect(await first).toMatchObject({ status: 200, body: { id: '7', locked: ['shipment:7'] } });
  });

  it('just runs the method of an instance made with new', async () => {
    expect(await new Shipping().ship('a')).toBeUndefined();
  });

  it('is refused where it can do nothing, and with options that are wrong', () => {
    const make = (options: object): (() => void) => {
      const descriptor = { value: () => Promise.resolve() };
      return () => Locked(options as { key: string })(Shipping.prototype, 'ship', descriptor);
    };
    expect(make({ key: '' })).toThrow('key is ""');
    expect(make({ key: [] })).toThrow('key is an empty list');
    expect(make({ key: 'a{x}' })).toThrow('brace');
    expect(make({ key: 'a', ttl: '1 week' })).toThrow(/The lock of Shipping\.ship is wrong:\n- ttl is "1 week"/);
    expect(make({ key: 'a', error: 'busy' })).toThrow('it must be a function');
    expect(make({ key: 'a', client: '' })).toThrow('the name of a client');
    expect(() => Locked({ key: 'a' })(Shipping, 'name', { value: () => Promise.resolve() })).toThrow('static');
  });
});

describe('[LCK-1] locks of an application', () => {
  it('are given back before the clients close, and waits end', async () => {
    const shared = await start({ imports: [ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent' })] });
    const locks = shared.get<LockService>(LOCK_SERVICE);
    const lock = await locks.acquire('order');
    const wait = locks.acquire('order').catch((error: { readonly code: string }) => error.code);
    await shared.close();
    // Not until then could the client have refused: it was asked while it was open.
    expect(await lock.release()).toBe(true);
    expect(await wait).toBe('VALKEY_CLIENT_CLOSED');
  });

  it('take their options from the registration, and belong to its client', async () => {
    @Injectable()
    class Uses {
      constructor(@InjectLocks('second') readonly locks: LockService) {}

      @Locked({ key: 'a', client: 'second' })
      async run(): Promise<number | undefined> {
        return currentLock()?.remaining;
      }
    }
    const application = await start({
      imports: [
        embedded,
        ValkeyModule.forRoot({ name: 'second', mode: 'embedded', logLevel: 'silent', lock: { ttl: '1h' } }),
      ],
      providers: [Uses],
    });
    const uses = application.get(Uses);
    expect(await uses.run()).toBeGreaterThan(3_000_000);
    await uses.locks.acquire('b');
    expect(await application.get<CacheClient>(clientToken('second')).exists('lock:{:b}')).toBe(1);
    expect(await application.get<CacheClient>(CACHE_CLIENT).exists('lock:{:b}')).toBe(0);
  });

  it('are there in the module for tests', async () => {
    const application = await start({ imports: [TestValkeyModule.forRoot()], providers: [Shipping] });
    expect(await application.get(Shipping).ship('a')).toEqual(['order:a']);
  });

  it('[LCK-2] of a quorum are held on a majority of the clients it names, in whatever order they are registered', async () => {
    const member = (name: string): ReturnType<typeof ValkeyModule.forRootAsync> =>
      ValkeyModule.forRootAsync({
        name,
        isGlobal: false,
        useFactory: async () => {
          await new Promise(setImmediate);
          return { mode: 'embedded', logLevel: 'silent' };
        },
      });
    const application = await start({
      imports: [
        ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', lock: { quorum: ['one', 'two'] } }),
        member('one'),
        member('two'),
      ],
    });
    const lock = await application.get<LockService>(LOCK_SERVICE).acquire('a');
    const clients = [CACHE_CLIENT, clientToken('one'), clientToken('two')].map((token) =>
      application.get<CacheClient>(token, { strict: false }),
    );
    await until(async () => (await Promise.all(clients.map((each) => each.exists('lock:{:a}')))).join() === '1,1,1', {
      what: 'all have it',
    });
    expect(lock.isHeld).toBe(true);
    // Those named have locks of their own.
    const single = application.get<LockService>(lockServiceToken('one'), { strict: false });
    expect(await single.tryAcquire('b')).toBeInstanceOf(Object);
  });

  it.each([
    [{ quorum: ['one'] }, /makes 2 with this client/],
    [{ quorum: ['one', 'one'] }, /a client twice/],
    [{ quorum: ['default', 'one'] }, /itself/],
    [{ quorum: ['one', 'three'] }, /names the client "three", which is not there/],
    [{ quorum: 'one' }, /lock\.quorum is "one": it must be a list/],
    [{ ttl: 'soon' }, /lock\.ttl/],
    [{ retry: 3 }, /lock\.retry is not an option/],
  ])('%j fail the start', async (lock, text) => {
    const failure = await startFailure({
      imports: [
        ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', lock: lock as LockModuleOptions & LockOptions }),
        ValkeyModule.forRoot({ name: 'one', mode: 'embedded', logLevel: 'silent' }),
      ],
    });
    expect(failure.message).toMatch(text);
  });
});
