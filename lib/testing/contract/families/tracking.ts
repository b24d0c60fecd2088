import assert from 'node:assert/strict';
import type { CacheClient } from '../../../client/cache-client.js';
import { defineScript } from '../../../driver/script.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';
import { until } from '../until.js';

const WRITE_BOTH = defineScript({
  name: 'contract-write-both',
  lua: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('SET', KEYS[2], ARGV[1])",
  embedded: (context, [first, second], [value]) => {
    context.call('SET', first as string, value as string);
    return context.call('SET', second as string, value as string);
  },
});

/** What was told under one prefix. */
class Told {
  readonly keys: string[] = [];
  readonly covered: boolean[] = [];
  readonly stop: () => void;

  constructor(client: CacheClient, prefix: string) {
    this.stop = client.track(prefix, {
      changed: (key) => this.keys.push(key),
      covered: (covered) => this.covered.push(covered),
    });
  }

  /** Resolves once all of these were told since the last look, and forgets what was told. */
  async hears(...keys: readonly string[]): Promise<void> {
    await until(`${keys.length} changes are told`, () => keys.every((key) => this.keys.includes(key)));
    this.keys.length = 0;
  }
}

async function tracked(client: CacheClient, prefix: string): Promise<Told> {
  const told = new Told(client, prefix);
  await until('changes are told', () => told.covered.at(-1) === true);
  return told;
}

const NOTHING = { changed: (): void => undefined, covered: (): void => undefined };

export function tracking(addTest: AddTest): void {
  /** Without the capability there is nothing but the refusal to try. */
  const test: AddTest = (title, body) =>
    addTest(title, async (trial) => {
      if (trial.capabilities.tracking) await body(trial);
      else assert.throws(() => trial.client.track(trial.key('p:'), NOTHING), { code: 'VALKEY_UNSUPPORTED' });
    });

  test('tells what this client and others write, overwrite and delete', async ({ client, key, open }) => {
    const [told, other] = [await tracked(client, key('p:')), await open()];
    for (const writer of [client, other]) {
      await writer.set(key('p:a'), marked('value'));
      await told.hears(key('p:a'));
      await writer.set(key('p:a'), marked('another'));
      await told.hears(key('p:a'));
      await writer.hset(key('p:h'), 'field', '1');
      await told.hears(key('p:h'));
      await writer.expire(key('p:a'), '1h');
      await told.hears(key('p:a'));
      await writer.del(key('p:a'));
      await told.hears(key('p:a'));
    }
    assert.deepEqual(told.covered, [true]);
    told.stop();
  });

  test('tells the end of a time to live, although nobody asks for the key', async ({ client, key }) => {
    const told = await tracked(client, key('p:'));
    await client.set(key('p:a'), marked('value'), { ttl: '60ms' });
    await until('the beginning and the end are told', () => told.keys.length >= 2);
    assert.deepEqual(told.keys, [key('p:a'), key('p:a')]);
    assert.equal(await client.exists(key('p:a')), 0);
    told.stop();
  });

  test('tells both names of a renamed key', async ({ client, key }) => {
    await client.set(key('p:a'), marked('value'));
    const told = await tracked(client, key('p:'));
    await client.rename(key('p:a'), key('p:b'));
    await told.hears(key('p:a'), key('p:b'));
    told.stop();
  });

  test('tells every key of a transaction, a script and a command over many keys', async ({ client, key }) => {
    const told = await tracked(client, key('p:'));
    await client.transaction((t) => [t.set(key('p:a'), marked('value')), t.incr(key('p:n')), t.del(key('p:a'))]);
    await told.hears(key('p:a'), key('p:n'));
    await client.run(WRITE_BOTH, [key('p:a'), key('p:b')], [marked('value')]);
    await told.hears(key('p:a'), key('p:b'));
    await client.unlink([key('p:a'), key('p:b')]);
    await told.hears(key('p:a'), key('p:b'));
    told.stop();
  });

  test('tells keys of all primaries', async ({ client, scattered }) => {
    const told = await tracked(client, scattered(0).slice(0, -1));
    const keys = Array.from({ length: 100 }, (_, index) => scattered(index));
    await Promise.all(keys.map((name) => client.set(name, marked('value'))));
    await told.hears(...keys);
    await client.unlink(keys);
    await told.hears(...keys);
    told.stop();
  });

  test('tells nothing of other keys, and takes glob characters for themselves', async ({ client, key }) => {
    const told = await tracked(client, key('p*[a]?:'));
    for (const name of ['p', 'pxa1:k', 'p*[a]?', 'q*[a]?:k']) await client.set(key(name), marked('value'));
    await client.set(key('p*[a]?:k'), marked('value'));
    await until('the change is told', () => told.keys.length > 0);
    assert.deepEqual(told.keys, [key('p*[a]?:k')]);
    told.stop();
  });

  test('tells a name that is not UTF-8 as well as it can', async ({ client, key }) => {
    const told = await tracked(client, key('p:'));
    await client.set(Buffer.concat([Buffer.from(key('p:ä')), Buffer.from([0xff])]), marked('value'));
    await told.hears(`${key('p:ä')}\ufffd`);
    told.stop();
  });

  test('knows only keys under the key prefix, without it', async ({ client, key, keyPrefix, open }) => {
    const outer = await open('');
    const [told, all] = [await tracked(client, key('p:')), await tracked(outer, keyPrefix + key('p:'))];
    await outer.set(key('p:elsewhere'), marked('value'));
    await client.set(key('p:a'), marked('value'));
    await all.hears(keyPrefix + key('p:a'));
    await until('the change is told', () => told.keys.includes(key('p:a')));
    if (keyPrefix !== '') assert.deepEqual(told.keys, [key('p:a')]);
    told.stop();
    all.stop();
  });

  test('tells each of several, also where one prefix begins with another', async ({ client, key }) => {
    const inner = await tracked(client, key('p:a:'));
    const outer = await tracked(client, key('p:'));
    const twin = await tracked(client, key('p:'));
    const apart = await tracked(client, key('q:'));
    const all = [inner, outer, twin, apart];
    await until('changes are told to all', () => all.every(({ covered }) => covered.at(-1) === true));
    await client.set(key('q:b'), marked('value'));
    await client.set(key('p:a:b'), marked('value'));
    await Promise.all([inner.hears(key('p:a:b')), outer.hears(key('p:a:b')), twin.hears(key('p:a:b'))]);
    await until('the change is told', () => apart.keys.length > 0);
    assert.deepEqual(apart.keys, [key('q:b')]);

    outer.stop();
    await client.set(key('p:b'), marked('value'));
    await client.set(key('p:a:b'), marked('another'));
    await twin.hears(key('p:b'), key('p:a:b'));
    assert.deepEqual([inner.keys, outer.keys], [[key('p:a:b')], []]);
    for (const told of [inner, twin, apart]) told.stop();
  });

  test('begins again after it was stopped', async ({ client, key }) => {
    const first = await tracked(client, key('p:'));
    first.stop();
    first.stop();
    await client.set(key('p:a'), marked('value'));
    const second = await tracked(client, key('p:'));
    await client.set(key('p:b'), marked('value'));
    await second.hears(key('p:b'));
    assert.deepEqual([first.keys, first.covered], [[], [true]]);
    second.stop();
  });

  test('ends with the client', async ({ open, client, key }) => {
    const closed = await open();
    const [told, marker] = [await tracked(closed, key('p:')), await tracked(client, key('p:'))];
    await closed.close();
    assert.deepEqual(told.covered, [true, false]);
    await client.set(key('p:a'), marked('value'));
    await marker.hears(key('p:a'));
    assert.deepEqual(told.keys, []);
    assert.throws(() => closed.track(key('p:'), NOTHING), { code: 'VALKEY_CLIENT_CLOSED' });
    marker.stop();
  });

  addTest('nodeOf names the primary that serves a key', async ({ client, key }) => {
    await client.set(key(), marked('value'));
    const primaries = client.nodes().filter(({ role }) => role === 'primary');
    const id = client.nodeOf(key());
    assert.ok(primaries.some(({ route }) => route.id === id));
    assert.equal(client.nodeOf(key('other')), id);
  });
}
