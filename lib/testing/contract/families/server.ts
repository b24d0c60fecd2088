import assert from 'node:assert/strict';
import { failsWith } from '../failures.js';
import { marked } from '../marked.js';
import type { AddTest } from '../trial.js';

/** Milliseconds by which clocks on one machine or network may differ. */
const CLOCK_SKEW = 60_000;

export function server(test: AddTest): void {
  test('[DRV-5] gives a sign of life', async ({ client }) => {
    assert.equal(await client.ping(), 'PONG');
  });

  test('[DRV-5] echoes text of any script', async ({ client }) => {
    assert.equal(await client.echo('Grüße, 世界 🌍'), 'Grüße, 世界 🌍');
  });

  test('[DRV-5] tells the time', async ({ client }) => {
    const skew = Math.abs((await client.time()).getTime() - Date.now());
    assert.ok(skew < CLOCK_SKEW, `the clocks differ by ${skew} ms`);
  });

  test('[DRV-1] is ready once connected, and connecting again changes nothing', async ({ client }) => {
    assert.equal(client.status().state, 'ready');
    await client.connect();
    assert.equal(client.status().state, 'ready');
  });

  test('[DRV-1] knows its nodes, one primary at least', async ({ client }) => {
    const primaries = client.nodes().filter(({ role }) => role === 'primary');
    assert.ok(primaries.length >= 1);
    for (const { route } of primaries) assert.match(route.id, /./);
  });

  test('[DRV-1] has a name and a topology', async ({ client }) => {
    assert.equal(typeof client.name, 'string');
    assert.ok(['single', 'cluster', 'sentinel', 'embedded'].includes(client.topology), client.topology);
    assert.equal(client.identity.client, client.name);
    assert.equal(typeof client.identity.clientId, 'number');
    await client.ping();
  });

  test('[DRV-6] gives the native client', async ({ client }) => {
    assert.equal(typeof client.native(), 'object');
    assert.notEqual(client.native(), null);
    await client.ping();
  });

  test('[RES-2] a client can be isolated and let through again', async ({ open, client, key }) => {
    const isolated = await open();
    await isolated.set(key(), marked('value'));
    const release = isolated.isolate();
    await failsWith(isolated.get(key()), 'VALKEY_CIRCUIT_OPEN');
    assert.equal(await client.get(key()), marked('value'));
    release();
    isolated.resetCircuits();
    assert.equal(await isolated.get(key()), marked('value'));
    assert.ok(isolated.circuits().every(({ state }) => state === 'closed'));
  });

  test('[HLT-2] tells how it is', async ({ client }) => {
    const health = await client.health({ timeout: '5s' });
    assert.deepEqual([health.mode, health.state, health.code], [client.topology, 'ready', undefined]);
    assert.ok(health.nodes.total >= 1);
    assert.equal(health.nodes.up, health.nodes.total);
  });

  test('[RES-7] counts what is under way', async ({ client, key }) => {
    const before = client.underWay;
    const reading = client.get(key());
    assert.equal(client.underWay, before + 1);
    await reading;
    assert.equal(client.underWay, before);
  });
}
