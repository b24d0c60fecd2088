import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CACHE_CLIENT, type CacheClient, InjectClient } from '../../../lib/index.js';
import { type TestClient, testClientToken, TestValkeyModule } from '../../../lib/testing/index.js';

@Injectable()
class Greetings {
  constructor(
    @Inject(CACHE_CLIENT) readonly client: CacheClient,
    @InjectClient('sessions') readonly sessions: CacheClient,
  ) {}
}

@Module({ providers: [Greetings] })
class GreetingsModule {}

describe('the module for tests', () => {
  it('[TST-1] gives clients under the tokens of the real one, with a clock of their own, and closes them', async () => {
    const module = await Test.createTestingModule({
      imports: [
        TestValkeyModule.forRoot({ keyPrefix: 'app:' }),
        TestValkeyModule.forRoot({ name: 'sessions' }),
        GreetingsModule,
      ],
    }).compile();
    await module.init();
    const { client, sessions } = module.get(Greetings, { strict: false });
    const { clock, client: same } = module.get<TestClient>(testClientToken(), { strict: false });
    expect(same).toBe(client);

    await client.set('greeting', 'hello', { ttl: '1m' });
    expect(await sessions.get('greeting')).toBeNull();
    clock.advance('59s');
    expect(await client.get('greeting')).toBe('hello');
    clock.advance('2s');
    expect(await client.get('greeting')).toBeNull();

    await module.close();
    await expect(client.get('greeting')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
    await expect(sessions.get('greeting')).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
  });
});
