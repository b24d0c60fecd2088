import { garbageCollector } from './garbage.mjs';
import { median, percentile } from './statistics.mjs';

/**
 * Who takes part in a comparison.
 *
 * @template Client
 * @typedef {object} Contender
 * @property {string} name
 * @property {Client} client
 */

/**
 * How long a comparison may take.
 *
 * @typedef {object} Pace
 * @property {number} rounds Measured rounds; in each every contender has one trial.
 * @property {number} budget Milliseconds for all trials of all comparisons of a question together, at the most.
 * @property {number} longestTrial Milliseconds of one trial at the most: more would not tell more.
 */

/**
 * @template Client
 * @typedef {object} Plan
 * @property {string} question
 * @property {readonly Contender<Client>[]} contenders The first is the one the others are compared to.
 * @property {(client: Client, key: string) => Promise<unknown>} operation What is measured.
 * @property {readonly string[]} keys Dealt out to the callers, so that no two of them ever ask for the same key.
 * @property {readonly number[]} callers Numbers of callers in flight; one comparison for each.
 * @property {Pace} pace
 * @property {number} [warmUp] Rounds before those that are measured, with the most callers. Default {@link WARM_UP}.
 * @property {number} [sampleEvery] Every which call is timed; by default it follows from the number of callers.
 * @property {'of-others' | 'of-first'} [ratios] How many times faster than the first the others are, which is the
 *   default, or the first than each other.
 * @property {() => Promise<CpuUsage> | CpuUsage} [cpuUsage] Of whom CPU is told; by default of this process.
 */

/**
 * @typedef {object} CpuUsage
 * @property {number} user Microseconds so far.
 * @property {number} system
 */

/**
 * One contender's result: throughput and CPU are medians over the rounds, latencies come from all rounds together.
 *
 * @typedef {object} Measurement
 * @property {string} subject
 * @property {number} opsPerSecond
 * @property {number} cpuMicrosPerOp User and system time, all threads.
 * @property {number} p50Micros
 * @property {number} p99Micros
 * @property {readonly number[]} ratios Of throughput, round by round: see the plan's.
 */

/**
 * All contenders with the same number of callers.
 *
 * @typedef {object} Comparison
 * @property {string} question
 * @property {number} concurrency
 * @property {'of-others' | 'of-first'} ratios
 * @property {readonly Measurement[]} measurements In the order of the contenders.
 */

/**
 * @typedef {object} TrialResult
 * @property {number} opsPerSecond
 * @property {number} cpuMicrosPerOp
 * @property {readonly number[]} samples Milliseconds of the calls that were timed.
 */

// Many short trials instead of few long ones: what disturbs a machine lasts for seconds, and so hits whole rounds.
/** The pace of a full run. */
export const FULL = { rounds: 40, budget: 90_000, longestTrial: 150 };
/** The pace of `--quick`: a question takes about a minute, the start of the server included. */
export const QUICK = { rounds: 24, budget: 26_000, longestTrial: 100 };

/** Rounds until the compiler has settled: contenders share much of Node's code, and each changes what is known of it. */
const WARM_UP = 10;
/** The same for routes of an application: they are asked a thousand times in a trial, others ten times as often. */
export const ROUTE_WARM_UP = 30;

/**
 * Every which call is timed. Reading the clock twice costs about 0.1 µs, which has to disappear beside the calls: with
 * few callers one takes 10 µs and more, with many 0.5 µs. Prime numbers, because callers move in step: with a divisor
 * of their number the same ones would be timed every time.
 *
 * @param {number} concurrency
 */
function sampleEvery(concurrency) {
  return concurrency < 16 ? 7 : 61;
}

/**
 * Measures all contenders for each number of callers, in this process and interleaved: what disturbs the machine
 * disturbs them all.
 *
 * @template Client
 * @param {Plan<Client>} plan
 * @returns {AsyncGenerator<Comparison>}
 */
export async function* compare(plan) {
  const { question, contenders, operation, keys, callers, pace, warmUp = WARM_UP, ratios = 'of-others' } = plan;
  const cpuUsage = plan.cpuUsage ?? (() => process.cpuUsage());
  const collectGarbage = garbageCollector();
  const trials = contenders.length * (callers.length * (pace.rounds + 1) + warmUp);
  const millis = Math.min(pace.longestTrial, pace.budget / trials);

  /** @param {Contender<Client>} contender @param {number} concurrency */
  const trial = (contender, concurrency) => {
    // Nobody pays for what another left behind. The young generation only: a full collection throws away the code of
    // those who have not run for a while, which is everybody but the last.
    collectGarbage({ type: 'minor' });
    const every = plan.sampleEvery ?? sampleEvery(concurrency);
    return runTrial(contender.client, operation, deal(keys, concurrency), { millis, every, cpuUsage });
  };

  // Before anything is measured, all code has seen all clients under load: what the compiler assumed from the first one
  // alone would be thrown away in the middle of a round.
  for (let round = 0; round < warmUp; round += 1) {
    for (const contender of contenders) await trial(contender, Math.max(...callers));
  }
  for (const concurrency of callers) {
    for (const contender of contenders) await trial(contender, concurrency);
    /** @type {Map<Contender<Client>, TrialResult[]>} */
    const results = new Map(contenders.map((contender) => [contender, []]));
    for (let round = 0; round < pace.rounds; round += 1) {
      for (const contender of orderOf(contenders, round)) {
        results.get(contender).push(await trial(contender, concurrency));
      }
    }
    const baseline = results.get(contenders[0]);
    const measurements = contenders.map(({ name }, index) => {
      const own = results.get(contenders[index]);
      return summarise(name, own, ratios === 'of-first' ? ratio(baseline, own) : ratio(own, baseline));
    });
    yield { question, concurrency, ratios, measurements };
  }
}

/**
 * The order of a round: another one goes first each time, and after a full turn everybody has another predecessor.
 *
 * @template T
 * @param {readonly T[]} contenders
 * @param {number} round
 * @returns {readonly T[]}
 */
function orderOf(contenders, round) {
  const first = round % contenders.length;
  const rotated = [...contenders.slice(first), ...contenders.slice(0, first)];
  return Math.floor(round / contenders.length) % 2 === 0 ? rotated : rotated.toReversed();
}

/**
 * @template T
 * @param {readonly T[]} keys
 * @param {number} hands
 * @returns {readonly (readonly T[])[]}
 */
function deal(keys, hands) {
  const each = Math.floor(keys.length / hands);
  if (each === 0) throw new Error(`${hands} callers are more than there are keys (${keys.length}); take fewer callers`);
  return Array.from({ length: hands }, (_, hand) => keys.slice(hand * each, (hand + 1) * each));
}

/**
 * @template Client
 * @param {Client} client
 * @param {(client: Client, key: string) => Promise<unknown>} operation
 * @param {readonly (readonly string[])[]} hands
 * @param {{ millis: number, every: number, cpuUsage: () => Promise<CpuUsage> | CpuUsage }} how
 * @returns {Promise<TrialResult>}
 */
async function runTrial(client, operation, hands, { millis, every, cpuUsage }) {
  const cpuBefore = await cpuUsage();
  const startedAt = performance.now();
  const trial = { endsAt: startedAt + millis, running: true, done: 0, every, untilSample: every, samples: [] };
  await Promise.all(hands.map((keys) => call(client, operation, keys, trial)));
  const elapsed = performance.now() - startedAt;
  const { user, system } = await cpuUsage();
  return {
    opsPerSecond: (trial.done / elapsed) * 1_000,
    cpuMicrosPerOp: (user + system - cpuBefore.user - cpuBefore.system) / trial.done,
    samples: trial.samples,
  };
}

/**
 * One caller: asks, waits for the answer, asks for the next key. The clock that ends the trial is read with the samples
 * and not by a timer, which would never fire for a client that answers out of its own memory.
 *
 * @template Client
 * @param {Client} client
 * @param {(client: Client, key: string) => Promise<unknown>} operation
 * @param {readonly string[]} keys
 * @param {{ endsAt: number, running: boolean, done: number, every: number, untilSample: number, samples: number[] }} trial
 */
async function call(client, operation, keys, trial) {
  for (let next = 0; trial.running; next = next + 1 === keys.length ? 0 : next + 1) {
    trial.untilSample -= 1;
    if (trial.untilSample > 0) {
      await operation(client, keys[next]);
    } else {
      trial.untilSample = trial.every;
      const askedAt = performance.now();
      await operation(client, keys[next]);
      const answeredAt = performance.now();
      trial.samples.push(answeredAt - askedAt);
      if (answeredAt >= trial.endsAt) trial.running = false;
    }
    trial.done += 1;
  }
}

/**
 * @param {string} subject
 * @param {readonly TrialResult[]} results
 * @param {readonly number[]} ratios
 * @returns {Measurement}
 */
function summarise(subject, results, ratios) {
  const samples = results.flatMap((result) => result.samples);
  return {
    subject,
    opsPerSecond: median(results.map((result) => result.opsPerSecond)),
    cpuMicrosPerOp: median(results.map((result) => result.cpuMicrosPerOp)),
    p50Micros: percentile(samples, 50) * 1_000,
    p99Micros: percentile(samples, 99) * 1_000,
    ratios,
  };
}

/**
 * @param {readonly TrialResult[]} results
 * @param {readonly TrialResult[]} base
 */
function ratio(results, base) {
  return results.map((result, round) => result.opsPerSecond / base[round].opsPerSecond);
}
