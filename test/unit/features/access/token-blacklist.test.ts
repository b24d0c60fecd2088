import { createHash } from 'node:crypto';
import { TokenBlacklist } from '../../../../lib/index.js';
import type { ErrorCode, TokenBlacklistOptions, TokenEnd } from '../../../../lib/index.js';
import { failure } from '../../options/failure.js';
import { closeStores, openStore, sent } from './failing-store.js';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5lIn0.c2lnbmF0dXJl';
const STORED = `token-blacklist:${createHash('sha256').update(TOKEN).digest('hex')}`;

afterEach(closeStores);

describe('[ACC-1] the token blacklist', () => {
  it('knows a listed token until it is taken off', async () => {
    const { client } = await openStore();
    const blacklist = new TokenBlacklist(client);

    expect(await blacklist.has(TOKEN)).toBe(false);
    await blacklist.add(TOKEN, { ttl: '1h' });
    expect(await blacklist.has(TOKEN)).toBe(true);
    expect(await blacklist.has(`${TOKEN}x`)).toBe(false);
    expect(await blacklist.remove(TOKEN)).toBe(true);
    expect(await blacklist.remove(TOKEN)).toBe(false);
    expect(await blacklist.has(TOKEN)).toBe(false);
  });

  it('tells many at once, in their order', async () => {
    const { client } = await openStore();
    const blacklist = new TokenBlacklist(client);
    await Promise.all(['b', 'd'].map((token) => blacklist.add(token, { ttl: '1h' })));
    expect(await blacklist.hasMany(['a', 'b', 'c', 'd', 'b'])).toEqual([false, true, false, true, true]);
    expect(await blacklist.hasMany([])).toEqual([]);
  });

  it('stores a hash of it and nothing else', async () => {
    const store = await openStore();
    const blacklist = new TokenBlacklist(store.client);
    await blacklist.add(TOKEN, { ttl: '1h' });
    await blacklist.has(TOKEN);
    await blacklist.hasMany([TOKEN]);
    await blacklist.remove(TOKEN);
    expect(sent(store)).not.toContain(TOKEN);
    expect(new Set(store.recording.operations.map(({ key }) => key))).toEqual(new Set([STORED]));
  });

  it.each<[string, () => TokenEnd]>([
    ['ttl', () => ({ ttl: '1h' })],
    ['until', () => ({ until: new Date(Date.now() + 3_600_000) })],
    ['exp', () => ({ exp: Math.floor(Date.now() / 1_000) + 3_600 })],
  ])('keeps it no longer than the token lives, by %s', async (_name, end) => {
    const { client } = await openStore();
    await new TokenBlacklist(client).add(TOKEN, end());
    const left = (await client.pttl(STORED)) as number;
    expect(left).toBeLessThanOrEqual(3_600_000);
    expect(left).toBeGreaterThan(3_500_000);
  });

  it('does not list what has ended, unless verifiers are lenient', async () => {
    const { client } = await openStore();
    const ended = { until: new Date(Date.now() - 1_000) };
    await new TokenBlacklist(client).add(TOKEN, ended);
    expect(await client.exists(STORED)).toBe(0);
    await new TokenBlacklist(client, { leeway: '1m' }).add(TOKEN, ended);
    expect(await client.pttl(STORED)).toBeGreaterThan(50_000);
    expect(await client.pttl(STORED)).toBeLessThanOrEqual(59_000);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no end', {}],
    ['two ends', { ttl: '1h', exp: 1_900_000_000 }],
    ['milliseconds as exp', { exp: Date.now() + 1_000 }],
    ['no number as exp', { exp: '1900000000' }],
    ['NaN as exp', { exp: Number.NaN }],
    ['no date', { until: '2030-01-01' }],
    ['an invalid date', { until: new Date('never') }],
    ['no duration', { ttl: 'long' }],
  ])('refuses %s as the end, and says nothing of the token', async (_name, end) => {
    const store = await openStore();
    const refused = new TokenBlacklist(store.client).add(TOKEN, end as TokenEnd);
    await expect(refused).rejects.toMatchObject({
      code: 'VALKEY_ARGUMENT_INVALID',
      message: expect.not.stringContaining(TOKEN) as string,
    });
    expect(store.recording.operations).toEqual([]);
  });

  it.each(['', undefined, 7])('has no answer for %p', async (token) => {
    const blacklist = new TokenBlacklist((await openStore()).client);
    const invalid = { code: 'VALKEY_ARGUMENT_INVALID' };
    await expect(blacklist.has(token as string)).rejects.toMatchObject(invalid);
    await expect(blacklist.hasMany(['a', token as string])).rejects.toMatchObject(invalid);
    await expect(blacklist.add(token as string, { ttl: 1 })).rejects.toMatchObject(invalid);
    await expect(blacklist.remove(token as string)).rejects.toMatchObject(invalid);
  });

  it.each<ErrorCode>(['VALKEY_CONNECTION_FAILED', 'VALKEY_DEADLINE_EXCEEDED', 'VALKEY_CIRCUIT_OPEN'])(
    'never says "not listed" when it does not know: %s',
    async (code) => {
      const { client, recording } = await openStore();
      const blacklist = new TokenBlacklist(client);
      recording.fail('EXISTS', code, { times: 2 });
      await expect(blacklist.has('other')).rejects.toMatchObject({ code });
      // One of many fails: nothing is told of any.
      await expect(blacklist.hasMany(['a', 'b', 'c'])).rejects.toMatchObject({ code });
      recording.fail('SET', code).fail('DEL', code);
      await expect(blacklist.add(TOKEN, { ttl: '1h' })).rejects.toMatchObject({ code });
      await expect(blacklist.remove(TOKEN)).rejects.toMatchObject({ code });
    },
  );

  it('asks the primary, whatever scope its client has: a replica may not have heard of a token', async () => {
    const { client, recording } = await openStore();
    const asked: unknown[] = [];
    const execute = recording.execute.bind(recording);
    recording.execute = (batch) => {
      asked.push(...batch.map(({ readFrom }) => readFrom));
      execute(batch);
    };
    const blacklist = new TokenBlacklist(client.with({ route: 'preferReplica' }));
    await blacklist.has(TOKEN);
    await blacklist.hasMany([TOKEN]);
    expect(asked).toEqual(['primary', 'primary']);
  });

  it('says what is wrong with its options', async () => {
    const { client } = await openStore();
    const of = (options: unknown) => failure(() => new TokenBlacklist(client, options as TokenBlacklistOptions));
    expect(of({ leeway: '2d' })).toContain('leeway is "2d"');
    expect(of({ leway: 1 })).toContain("Did you mean 'leeway'?");
  });
});
