import { CacheService, PermissionCache } from '../../../../lib/index.js';
import type { PermissionOptions } from '../../../../lib/index.js';
import { failure } from '../../options/failure.js';
import { closeStores, openBeside, openStore } from './failing-store.js';

afterEach(closeStores);

/** A source that counts who was asked for. */
class Users {
  readonly asked: string[] = [];
  readonly permissions = new Map<string, readonly string[]>([['anne', ['orders:read', 'orders:write']]]);

  readonly load = async (subject: string): Promise<readonly string[] | undefined> => {
    this.asked.push(subject);
    return this.permissions.get(subject);
  };
}

describe('[ACC-1] the permission cache', () => {
  it('asks the source once, and all processes share the answer', async () => {
    const users = new Users();
    const store = await openStore();
    const here = new PermissionCache(store.caching.cache('permissions'), { load: users.load });
    const there = new PermissionCache((await openBeside(store)).cache('permissions'), { load: users.load });

    const answers = await Promise.all([here.of('anne'), here.of('anne')]);
    await store.caching.idle();
    answers.push(await there.of('anne'));

    expect(answers).toEqual(answers.map(() => ['orders:read', 'orders:write']));
    expect(users.asked).toEqual(['anne']);
  });

  it('allows only who has every permission asked for', async () => {
    const permissions = new PermissionCache((await openStore()).caching.cache('permissions'), {
      load: new Users().load,
    });

    expect(await permissions.allows('anne', 'orders:read')).toBe(true);
    expect(await permissions.allows('anne', 'orders:read', 'orders:write')).toBe(true);
    expect(await permissions.allows('anne', 'orders:read', 'orders:delete')).toBe(false);
    expect(await permissions.allows('nobody', 'orders:read')).toBe(false);
    const nothing = permissions.allows('anne', ...([] as unknown as ['orders:read']));
    await expect(nothing).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
  });

  it('keeps what it knows for a minute, and for ten seconds that there is no such subject', async () => {
    const users = new Users();
    const { caching, clock } = await openStore();
    const permissions = new PermissionCache(caching.cache('permissions'), { load: users.load });
    const ask = async (): Promise<void> => {
      await Promise.all([permissions.of('anne'), permissions.of('nobody')]);
      await caching.idle();
    };

    await ask();
    clock.advance('9s');
    await ask();
    expect(users.asked).toEqual(['anne', 'nobody']);
    clock.advance('2s');
    await ask();
    expect(users.asked).toEqual(['anne', 'nobody', 'nobody']);
    clock.advance('50s');
    await ask();
    expect(users.asked).toEqual(['anne', 'nobody', 'nobody', 'anne', 'nobody']);
  });

  it('keeps nothing of unknown subjects when told so', async () => {
    const users = new Users();
    const { caching } = await openStore();
    const permissions = new PermissionCache(caching.cache('permissions'), { load: users.load, unknownTtl: false });

    for (let times = 0; times < 3; times += 1) {
      expect(await permissions.of('nobody')).toEqual([]);
      await caching.idle();
    }
    expect(users.asked).toHaveLength(3);
  });

  it('forgets a subject, or all of them, in every process', async () => {
    const users = new Users();
    const store = await openStore();
    const here = new PermissionCache(store.caching.cache('permissions'), { load: users.load });
    const there = new PermissionCache((await openBeside(store)).cache('permissions'), { load: users.load });
    const learn = async (): Promise<readonly string[]> => {
      const known = await there.of('anne');
      await store.caching.idle();
      return known;
    };

    await learn();
    users.permissions.set('anne', []);
    expect(await learn()).toHaveLength(2);
    await here.evict('anne');
    expect(await learn()).toEqual([]);
    users.permissions.set('anne', ['orders:read']);
    await here.clear();
    expect(await learn()).toEqual(['orders:read']);
  });

  it('asks the source when the store is away, once for a subject at a time', async () => {
    const users = new Users();
    const { caching, recording } = await openStore();
    const permissions = new PermissionCache(caching.cache('permissions'), { load: users.load });
    await permissions.of('anne');
    await caching.idle();
    users.permissions.set('anne', ['orders:read']);

    recording.goDown();
    const many = await Promise.all(Array.from({ length: 50 }, () => permissions.of('anne')));

    expect(new Set(many.map(String))).toEqual(new Set(['orders:read']));
    expect(users.asked).toEqual(['anne', 'anne']);
    await expect(permissions.evict('anne')).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
    await expect(permissions.clear()).rejects.toMatchObject({ code: 'VALKEY_CONNECTION_FAILED' });
  });

  it('rejects when the source fails, even where the cache may answer with old values', async () => {
    const users = new Users();
    const { client, clock } = await openStore();
    const stale = new CacheService(client, { near: false, staleFor: '1h' });
    let gone: Error | undefined;
    const load: PermissionOptions['load'] = (subject) => {
      if (gone) throw gone;
      return users.load(subject);
    };
    const permissions = new PermissionCache(stale.cache('permissions'), { load });
    await permissions.of('anne');
    await stale.idle();

    clock.advance('61s');
    gone = new Error('the database is away');
    await expect(permissions.of('anne')).rejects.toBe(gone);
    await expect(permissions.allows('anne', 'orders:read')).rejects.toBe(gone);
  });

  it('takes a set, names each permission once, and refuses what is no list of texts', async () => {
    const { caching } = await openStore();
    const given = (value: unknown): PermissionCache =>
      new PermissionCache(caching.cache(`of-${typeof value}`), { load: () => value as string[], unknownTtl: false });

    expect(await given(new Set(['a', 'b'])).of('anne')).toEqual(['a', 'b']);
    const twice = new PermissionCache(caching.cache('twice'), { load: () => ['a', 'a'] });
    expect(await twice.of('anne')).toEqual(['a']);
    for (const value of ['admin', 7, true]) {
      await expect(given(value).of('anne')).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID' });
    }
    const numbers = new PermissionCache(caching.cache('numbers'), { load: () => [7] as unknown as string[] });
    await expect(numbers.of('anne')).rejects.toThrow('a list or set of texts');
  });

  it('says everything that is wrong with its options', async () => {
    const { caching } = await openStore();
    const options = { ttl: 'soon', unknownTtl: 0, tll: 1 } as unknown as PermissionOptions;
    const message = failure(() => new PermissionCache(caching.cache(), options));
    expect(message).toContain('load is missing');
    expect(message).toContain('ttl is "soon"');
    expect(message).toContain('unknownTtl is 0');
    expect(message).toContain("Did you mean 'ttl'?");
  });
});
