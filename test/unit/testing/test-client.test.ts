import { createTestClient, FakeClock, TestStore, type TestClient } from 'nestjs-valkey/testing';

describe('createTestClient', () => {
  const opened: TestClient[] = [];
  const open: typeof createTestClient = async (options) => {
    const made = await createTestClient(options);
    opened.push(made);
    return made;
  };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ client }) => client.close()));
  });

  it('[TST-1] gives a connected client that works', async () => {
    const { client } = await open();

    expect(client.status()).toEqual({ state: 'ready' });
    expect(await client.set('key', 'value')).toBe('OK');
    expect(await client.get('key')).toBe('value');
  });

  it('[TST-1] lets keys expire by its clock alone', async () => {
    const { client, clock } = await open();
    await client.set('key', 'value', { ttl: '1h' });

    clock.advance('59m');
    expect(await client.pttl('key')).toBe(60_000);
    clock.advance('1m');
    expect(await client.get('key')).toBeNull();
  });

  it('[TST-1] ends keys as the clock moves on, although nobody asks for them', async () => {
    const { client, clock, store } = await open();
    await client.mset({ a: 1, b: 2 });
    await client.expire('a', '1m');

    expect(store.size).toBe(2);
    clock.advance('1m');
    expect(store.size).toBe(1);
  });

  it('[TST-1] breaks a watch when the clock ends the watched key', async () => {
    const { client, clock } = await open();
    await client.set('key', 'value', { ttl: '1m' });

    const contested = client.transaction({ watch: ['key'], attempts: 1 }, (t) => {
      clock.advance('1m');
      return [t.set('other', 1)];
    });
    await expect(contested).rejects.toMatchObject({ code: 'VALKEY_TRANSACTION_CONFLICT' });
  });

  it('[TST-1] takes a clock, bounds and a prefix, and nothing from the environment', async () => {
    process.env['VALKEY_KEY_PREFIX'] = 'environment:';
    const clock = new FakeClock(1_000);
    const { client, store } = await open({ clock, keyPrefix: 'own:', embedded: { maxEntries: 2 } });
    delete process.env['VALKEY_KEY_PREFIX'];
    const bare = await open({ store });

    await client.mset({ a: 1, b: 2, c: 3 });
    expect(await bare.client.mget('own:a', 'own:b', 'own:c')).toEqual([null, '2', '3']);
    expect((await client.time()).getTime()).toBe(1_000);
    expect(bare.clock).toBe(clock);
  });

  it('[TST-1] lets several clients share keys, channels and waits', async () => {
    const store = new TestStore();
    const [one, other] = await Promise.all([open({ store }), open({ store })]);
    const subscription = await one.client.subscribe('news');
    const popped = one.client.blpop('list', { timeout: 0 });

    await other.client.publish('news', 'hello');
    await other.client.rpush('list', 'element');
    expect((await subscription.next()).value?.text).toBe('hello');
    expect(await popped).toEqual({ key: 'list', value: 'element' });
  });

  it('[TST-1] closing one client ends its own waits and leaves the store to the others', async () => {
    const store = new TestStore();
    const [one, other] = await Promise.all([open({ store }), open({ store })]);
    const lost = one.client.blpop('list', { timeout: 0 });
    const ended = expect(lost).rejects.toMatchObject({ code: 'VALKEY_CLIENT_CLOSED' });
    const kept = other.client.blpop('list', { timeout: 0 });

    await one.client.close();
    await ended;
    expect(await other.client.rpush('list', 'element')).toBe(1);
    expect((await kept)?.value).toBe('element');
  });

  it('[TST-1] refuses a clock or bounds beside a store that has its own', async () => {
    const refused = createTestClient({ store: new TestStore(), clock: new FakeClock() });

    await expect(refused).rejects.toMatchObject({ code: 'VALKEY_ARGUMENT_INVALID', subject: 'store' });
  });
});
