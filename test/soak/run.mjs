import { register } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseArgs } from 'node:util';

import { setTimeout as pause } from 'node:timers/promises';

import { Faults } from './faults.mjs';

/**
 * Every topology under mixed load while things break at random: `npm run soak -- --minutes 3`. Ends with figures, and
 * with code 1 if a call was applied twice or never settled, if an error was none of ours, if a client did not come back,
 * or if memory grew.
 */

register('../../bench/harness/typescript-hooks.mjs', import.meta.url);
setFlagsFromString('--expose-gc');
const collectGarbage = /** @type {() => void} */ (runInNewContext('gc'));

/** Bytes of heap a run may end with more than it had once it was warm. */
const GROWTH = 12 * 2 ** 20;
/** Milliseconds in which every call has to be over, and every client back, once nothing breaks any more. */
const CALM = 20_000;
/** Milliseconds in which what has been closed has to be gone. */
const LINGER = 3_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string', default: String(Date.now() % 1e6) } },
});
const duration = Number(values.minutes) * 60_000;
if (!(duration > 0)) {
  console.error('usage: npm run soak -- [--minutes 3] [--seed 1]');
  process.exit(2);
}

/** @type {unknown[]} */
const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
process.on('uncaughtException', (error) => unhandled.push(error));

process.exitCode = await main();
// As in bench/run.mjs: nothing is left to wait for.
process.exit();

async function main() {
  const random = generator(Number(values.seed));
  console.log(`soak: ${values.minutes} minutes, seed ${values.seed}`);
  // Not before the hooks are there.
  const { Load } = await import('./load.mjs');
  const { deploy } = await import('./deployments.mjs');
  const deployments = await deploy();
  /** @type {string[]} */
  const violations = [];
  try {
    const runs = deployments.map((deployment) => ({
      ...deployment,
      load: new Load(deployment.client, random),
      faults: new Faults(deployment.faults, random),
    }));
    const samples = [];
    const over = performance.now() + duration;
    for (const { load, faults } of runs) {
      load.start();
      faults.start();
    }
    while (performance.now() < over) {
      await pause(Math.min(5_000, Math.max(1, over - performance.now())));
      samples.push(heap());
      await Promise.all(runs.map(({ load }) => load.check()));
    }
    await Promise.all(runs.map(({ faults }) => faults.stop()));
    await Promise.all(runs.map(({ recover }) => recover()));

    for (const { name, client, load, faults } of runs) {
      const back = await comesBack(client);
      const unsettled = await load.stop(CALM);
      await load.check(true);
      const { calls, succeeded, failures, wrong, twice, strange } = load;
      console.log(`\n${name}: ${calls} calls, ${succeeded} succeeded, slowest ${load.slowest.toFixed(0)} ms`);
      console.log(`  failures: ${list(failures)}`);
      console.log(`  faults: ${list(faults.done)}`);
      console.log(`  applied twice: ${wrong + twice}, unsettled: ${unsettled}, increments checked: ${load.checked}`);
      if (wrong + twice > 0) violations.push(`${name}: ${wrong + twice} calls were applied twice`);
      if (unsettled > 0) violations.push(`${name}: ${unsettled} calls never settled`);
      if (strange.length > 0)
        violations.push(`${name}: errors that are none of ours: ${strange.slice(0, 3).join('; ')}`);
      if (!back) violations.push(`${name}: the client did not come back within ${CALM} ms`);
      if (faults.errors.length > 0)
        console.log(`  faults that could not be made: ${faults.errors.length} (${faults.errors[0]})`);
    }
    samples.push(heap());
    // The first quarter warms up: compiled code, pools, caches.
    const warm = samples[Math.floor(samples.length / 4)] ?? 0;
    const growth = (samples.at(-1) ?? 0) - warm;
    console.log(
      `\nheap: ${samples.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ')} MB, growth ${(growth / 2 ** 20).toFixed(1)} MB`,
    );
    if (growth > GROWTH) violations.push(`the heap grew by ${(growth / 2 ** 20).toFixed(1)} MB`);
  } finally {
    await Promise.all(deployments.map(({ client }) => client.close()));
    await Promise.all(deployments.map(({ stop }) => stop()));
  }
  const left = await leftOpen();
  console.log(`sockets and timers left: ${left.length}, unhandled rejections: ${unhandled.length}`);
  if (left.length > 0) violations.push(`left open: ${left.join(', ')}`);
  if (unhandled.length > 0) violations.push(`unhandled: ${String(unhandled[0])}`);
  console.log(violations.length === 0 ? 'soak: ok' : `soak: FAILED\n  ${violations.join('\n  ')}`);
  return violations.length === 0 ? 0 : 1;
}

function heap() {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Sockets and timers that are still there when everything has been closed and has had time to close. */
async function leftOpen() {
  const until = performance.now() + LINGER;
  for (;;) {
    const left = process.getActiveResourcesInfo().filter((kind) => /Timeout|TCP|TLS/.test(kind));
    if (left.length === 0 || performance.now() > until) return left;
    // The pause's own timer does not count while it does not run.
    await pause(20);
  }
}

/** @param {import('../../lib/index.js').CacheClient} client */
async function comesBack(client) {
  const until = performance.now() + CALM;
  while (performance.now() < until) {
    try {
      await client.set('back', '1');
      return true;
    } catch {
      await pause(50);
    }
  }
  return false;
}

/** @param {ReadonlyMap<string, number>} counts */
function list(counts) {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}

/**
 * Numbers in [0, 1) that are the same for the same seed (mulberry32).
 *
 * @param {number} seed
 */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
