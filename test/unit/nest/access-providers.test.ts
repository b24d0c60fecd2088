import { Inject, Injectable } from '@nestjs/common';
import type { Provider } from '@nestjs/common';
import {
  ApiKeyCache,
  CACHE_CLIENT,
  CacheClient,
  clientToken,
  InjectClient,
  PermissionCache,
  provideApiKeyCache,
  providePermissionCache,
  provideTenantSettings,
  provideTokenBlacklist,
  TokenBlacklist,
  ValkeyModule,
} from '../../../lib/index.js';
import { failure } from '../options/failure.js';
import { closeApplications, start } from './application.js';

afterEach(closeApplications);

@Injectable()
class Users {
  async permissionsOf(user: string): Promise<readonly ('read' | 'write')[]> {
    return user === 'anne' ? ['read', 'write'] : ['read'];
  }
}

interface Owner {
  readonly name: string;
}

@Injectable()
class Access {
  constructor(
    @Inject(PermissionCache) readonly permissions: PermissionCache<'read' | 'write'>,
    @Inject(ApiKeyCache) readonly keys: ApiKeyCache<Owner>,
    @Inject(TokenBlacklist) readonly blacklist: TokenBlacklist,
    @Inject(CACHE_CLIENT) readonly client: CacheClient,
    @InjectClient('sessions') readonly sessions: CacheClient,
  ) {}
}

const embedded = { mode: 'embedded', logLevel: 'silent' } as const;
const imports = [ValkeyModule.forRoot(embedded), ValkeyModule.forRoot({ ...embedded, name: 'sessions' })];

async function access(...more: readonly Provider[]): Promise<Access> {
  const providers = [
    Users,
    Access,
    providePermissionCache({
      inject: [Users],
      useFactory: (users: Users) => ({ load: (user) => users.permissionsOf(user) }),
    }),
    provideApiKeyCache({ useFactory: async () => ({ load: (hash: string) => ({ name: hash.slice(0, 4) }) }) }),
    provideTokenBlacklist({ client: 'sessions', leeway: '1s' }),
    ...more,
  ];
  const application = await start({ imports, providers });
  return application.get(Access);
}

async function keysOf(client: CacheClient): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of client.scan()) keys.push(key);
  return keys;
}

describe('[ACC-1] providers', () => {
  it('give permission cache, key cache and blacklist by their classes, with what they inject', async () => {
    const { permissions, keys, blacklist } = await access();
    expect(await permissions.allows('anne', 'write')).toBe(true);
    expect(await permissions.allows('bob', 'write')).toBe(false);
    expect((await keys.find('key'))?.name).toHaveLength(4);
    expect(await blacklist.has('token')).toBe(false);
  });

  it('work with the caches and the client they name', async () => {
    const { permissions, keys, blacklist, client, sessions } = await access();
    await Promise.all([permissions.of('anne'), keys.find('key'), blacklist.add('token', { ttl: '1m' })]);
    expect(await keysOf(sessions)).toEqual([expect.stringMatching(/^token-blacklist:[0-9a-f]{64}$/)]);
    const stored = (await keysOf(client))
      .filter((key) => key.includes(':1{:'))
      .map((key) => key.slice(0, key.indexOf('{')));
    expect(new Set(stored)).toEqual(new Set(['cache:permissions:1', 'cache:api-keys:1']));
  });

  it('give a second one under a token of its own', async () => {
    const ROLES = Symbol('ROLES');
    const second = providePermissionCache({
      provide: ROLES,
      client: 'sessions',
      cache: 'roles',
      useFactory: () => ({ load: () => ['admin'] }),
    });
    const application = await start({ imports, providers: [second] });
    expect(await application.get<PermissionCache>(ROLES).of('anne')).toEqual(['admin']);
    expect(application.get(clientToken('sessions'))).toBeInstanceOf(CacheClient);
  });

  it('refuse options they do not know, when they are written', () => {
    const wrong = { useFactroy: () => ({}), client: '', cache: 'a:b', provide: 7, inject: 'Users' } as never;
    const providers = [providePermissionCache, provideApiKeyCache, provideTenantSettings] as const;
    for (const provide of providers as readonly ((options: never) => unknown)[]) {
      const message = failure(() => provide(wrong));
      expect(message).toContain(`${provide.name}()`);
      for (const name of [
        'useFactory is missing',
        'client is ""',
        'cache is "a:b"',
        'provide is 7',
        'inject is "Users"',
      ]) {
        expect(message).toContain(name);
      }
      expect(message).toContain("Did you mean 'useFactory'?");
    }
    expect(failure(() => provideTokenBlacklist({ client: '' }))).toContain('client is ""');
    expect(failure(() => provideTokenBlacklist({ lewway: 1 } as never))).toContain("Did you mean 'leeway'?");
  });

  it('refuse what a factory makes when the application starts', async () => {
    const bad = provideTenantSettings({ useFactory: () => ({ load: undefined as never }) });
    await expect(start({ imports, providers: [bad] })).rejects.toThrow('load is missing');
  });
});
