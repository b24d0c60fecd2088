import { compare, FULL, QUICK } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';
import { isAdmitted, openLimiters } from '../limiters/comparison.mjs';
import { ourOpeners } from '../limiters/ours.mjs';
import { openFlexibleRedis, openFlexibleValkey, openThrottlerStorage } from '../limiters/peers.mjs';

export const name = 'limit-throughput';
export const description =
  'decisions of a rate limiter on one server, each caller on subjects of its own, all admitted';

/** Four for each caller. */
const SUBJECTS = Array.from({ length: 1_024 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
const CALLERS = [256];
const OPENERS = [...ourOpeners, openFlexibleValkey, openFlexibleRedis, openThrottlerStorage];

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  const { limiters, close } = await openLimiters(server, OPENERS);
  try {
    const plan = {
      question: name,
      contenders: limiters,
      operation: decide,
      keys: SUBJECTS,
      callers,
      ratios: 'of-first',
    };
    for await (const comparison of compare({ ...plan, pace: quick ? QUICK : FULL })) emit(comparison);
    for (const limiter of limiters) await proveAdmitting(limiter);
  } finally {
    await close();
    await clearCaches(server);
  }
}

/** @param {import('../limiters/ours.mjs').BenchLimiter} limiter @param {string} subject */
function decide(limiter, subject) {
  return limiter.ask(subject);
}

/**
 * What was measured were admissions: there is more to be had for everybody still.
 *
 * @param {import('../limiters/ours.mjs').OpenLimiter} limiter
 */
async function proveAdmitting({ name: subject, client }) {
  const admitted = await Promise.all(SUBJECTS.map((each) => isAdmitted(client, each)));
  if (!admitted.every(Boolean)) throw new Error(`${subject} refused what was measured`);
}
