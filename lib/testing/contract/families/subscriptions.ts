import assert from 'node:assert/strict';
import type { Message, Subscription } from '../../../client/subscription.js';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

async function next(subscription: Subscription): Promise<Message> {
  const { value } = await subscription.next();
  assert.ok(value, 'the subscription ended before its message came');
  return value;
}

export function subscriptions(test: AddTest): void {
  test('[PUB-1] a subscriber gets what is published, in order', async ({ client, key, open }) => {
    const publisher = await open();
    const subscription = await client.subscribe(key());
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    await Promise.all(numbers.map((number) => publisher.publish(key(), number)));
    for (const number of numbers) {
      const message = await next(subscription);
      assert.deepEqual([message.channel, message.pattern, message.text], [key(), undefined, String(number)]);
    }
    await subscription.close();
  });

  test('[PUB-1] a loop over a subscription ends when it is closed', async ({ client, key }) => {
    const subscription = await client.subscribe([key('a'), key('b')]);
    const seen: string[] = [];
    await client.publish(key('a'), '1');
    await client.publish(key('b'), '2');
    await client.publish(key('a'), 'end');
    for await (const { channel, text } of subscription) {
      seen.push(`${channel} ${text}`);
      if (text === 'end') void subscription.close();
    }
    assert.deepEqual(seen, [`${key('a')} 1`, `${key('b')} 2`, `${key('a')} end`]);
    assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  });

  test('[PUB-1] breaking out of the loop unsubscribes', async ({ client, key }) => {
    const subscription = await client.subscribe(key());
    await client.publish(key(), marked('first'));
    for await (const { text } of subscription) {
      assert.equal(text, marked('first'));
      break;
    }
    assert.deepEqual(await subscription.next(), { done: true, value: undefined });
    if (client.topology !== 'cluster') assert.equal(await client.publish(key(), marked('nobody listens')), 0);
  });

  test('[PUB-1] a pattern hears all channels it matches', async ({ client, key }) => {
    const subscription = await client.psubscribe(key('news.*'));
    await client.publish(key('other'), marked('not this one'));
    await client.publish(key('news.art'), '1');
    await client.publish(key('news.tech'), '2');
    for (const [channel, text] of [
      [key('news.art'), '1'],
      [key('news.tech'), '2'],
    ]) {
      const message = await next(subscription);
      assert.deepEqual([message.channel, message.pattern, message.text], [channel, key('news.*'), text]);
    }
    await subscription.close();
  });

  test('[PUB-1] who listens to a channel and to a pattern gets both', async ({ client, key }) => {
    const [channel, pattern] = await Promise.all([client.subscribe(key()), client.psubscribe(key('*'))]);
    await client.publish(key(), marked('text'));
    assert.equal((await next(channel)).pattern, undefined);
    assert.equal((await next(pattern)).pattern, key('*'));
    await Promise.all([channel.close(), pattern.close()]);
  });

  test('[PUB-1] each of several subscribers gets every message', async ({ client, key, open }) => {
    const other = await open();
    const all = await Promise.all([client.subscribe(key()), client.subscribe(key()), other.subscribe(key())]);
    await client.publish(key(), marked('first'));
    for (const subscription of all) assert.equal((await next(subscription)).text, marked('first'));
    await all[0].close();
    await client.publish(key(), marked('second'));
    for (const subscription of all.slice(1)) assert.equal((await next(subscription)).text, marked('second'));
    await Promise.all(all.map((subscription) => subscription.close()));
  });

  test('[PUB-1] [CMD-8] messages are bytes', async ({ client, key }) => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const subscription = await client.subscribe(key());
    await client.publish(key(), bytes);
    await client.publish(key(), '');
    assert.deepEqual((await next(subscription)).payload, bytes);
    assert.equal((await next(subscription)).text, '');
    await subscription.close();
  });

  test('[PUB-1] a slow reader loses the oldest, the newest, or its subscription', async ({ client, key }) => {
    const oldest = await client.subscribe(key(), { buffer: 2 });
    const newest = await client.subscribe(key(), { buffer: 2, overflow: 'drop-newest' });
    const failing = await client.subscribe(key(), { buffer: 2, overflow: 'fail' });
    const marker = await client.subscribe(key());
    for (const text of ['1', '2', '3']) await client.publish(key(), text);
    // The last of four in order: when it has the third message, so have the others.
    for (let count = 0; count < 3; count += 1) await next(marker);
    assert.deepEqual([(await next(oldest)).text, (await next(oldest)).text, oldest.dropped], ['2', '3', 1]);
    assert.deepEqual([(await next(newest)).text, (await next(newest)).text, newest.dropped], ['1', '2', 1]);
    await failsWith(failing.next(), 'VALKEY_SUBSCRIPTION_OVERFLOW');
    await Promise.all([oldest, newest, marker].map((subscription) => subscription.close()));
  });

  test('[PUB-1] publishing answers how many it reached', async ({ client, key }) => {
    const subscription = await client.subscribe(key());
    const reached = await client.publish(key(), marked('text'));
    if (client.topology === 'cluster') assert.ok(reached <= 1);
    else assert.equal(reached, 1);
    assert.equal((await next(subscription)).text, marked('text'));
    await subscription.close();
    await failsWith(client.subscribe([]), 'VALKEY_ARGUMENT_INVALID');
  });

  test('[PUB-1] a transaction and a script may publish', async ({ client, key }) => {
    const subscription = await client.subscribe(key('channel'));
    if (client.topology === 'cluster') await client.pipeline((p) => [p.publish(key('channel'), marked('sent'))]);
    else await client.transaction((t) => [t.incr(key()), t.publish(key('channel'), marked('sent'))]);
    assert.equal((await next(subscription)).text, marked('sent'));
    await subscription.close();
  });

  test('[PUB-1] spublish goes to the channel’s shard, or is refused', async ({ client, key, capabilities }) => {
    if (capabilities.shardChannels) assert.equal(await client.spublish(key(), marked('nobody listens')), 0);
    else await failsWith(client.spublish(key(), marked('text')), 'VALKEY_UNSUPPORTED');
  });
}
