import { FakeClock, RecordingDriver, TestStore } from '../../../lib/testing/index.js';
import { endObservation, observedClient } from '../observability/observed-client.js';

afterEach(endObservation);

it.each<[string, object]>([
  ['its queue', { maxQueue: 2 }],
  ['its bulkhead', { resilience: { bulkhead: { inFlight: 1, queue: 1 } } }],
])('[HLT-1] [HLT-3] a client is well though no place is left in %s', async (_, bounds) => {
  const clock = new FakeClock();
  const driver = new RecordingDriver(new TestStore({ clock }).driver(), clock).delay('GET', '1h');
  const client = await observedClient({ mode: 'embedded', ...bounds }, { driver });
  const calls = Promise.allSettled([client.get('a'), client.get('b')]);
  await expect(client.get('c')).rejects.toMatchObject({ code: 'VALKEY_QUEUE_FULL' });

  const health = await client.health();

  expect(health).toMatchObject({
    nodes: { up: 1, total: 1 },
    code: undefined,
    latencyMs: expect.any(Number) as number,
  });
  await expect(client.get('c')).rejects.toMatchObject({ code: 'VALKEY_QUEUE_FULL' });
  await Promise.all([client.close(), calls]);
});
