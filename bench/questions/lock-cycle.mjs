import { compare, FULL, QUICK } from '../harness/compare.mjs';
import { clearCaches } from '../harness/dataset.mjs';
import { openEagerRedlock, openOurs, openRedlock, prove } from '../locks/lockers.mjs';

export const name = 'lock-cycle';
export const description = 'taking a lock and giving it back: names of their own, and one name for all';

const KEYS = Array.from({ length: 1_024 }, (_, index) => `order-${index}`);
const CALLERS = [1, 8, 32];
const CONTENDED = [8, 32];
const OPENERS = [openOurs, openRedlock, openEagerRedlock];

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, callers = CALLERS, server, emit }) {
  const lockers = [];
  const others = [];
  try {
    for (const open of OPENERS) {
      await prove(open, server);
      lockers.push(await open(server));
      others.push(await open(server));
    }
    const pace = quick ? QUICK : FULL;
    const plan = { keys: KEYS, ratios: 'of-first', pace: { ...pace, budget: pace.budget / 2 } };
    const alone = { ...plan, question: name, contenders: lockers.slice(0, 2), operation: cycle, callers };
    for await (const comparison of compare(alone)) emit(comparison);
    // Every second turn belongs to another instance, so that the lock goes through the server.
    const contenders = lockers.map((each, index) => ({
      name: each.name,
      client: shared(each.client, others[index].client),
    }));
    const among = callers === CALLERS ? CONTENDED : callers;
    for await (const comparison of compare({
      ...plan,
      question: `${name}, contended`,
      contenders,
      operation: cycle,
      callers: among,
    })) {
      emit(comparison);
    }
  } finally {
    await Promise.all([...lockers, ...others].map(({ close }) => close()));
    await clearCaches(server);
  }
}

/** @param {import('../locks/lockers.mjs').BenchLocker} locker @param {string} key */
function cycle(locker, key) {
  return locker.cycle(key);
}

/**
 * One name for all, by two instances in turn.
 *
 * @param {import('../locks/lockers.mjs').BenchLocker} one
 * @param {import('../locks/lockers.mjs').BenchLocker} other
 */
function shared(one, other) {
  let turn = 0;
  let inside = 0;
  const alone = () => {
    inside += 1;
    if (inside > 1) throw new Error('two were let in at once');
    inside -= 1;
  };
  return {
    cycle: () => {
      turn += 1;
      return (turn % 2 === 0 ? one : other).cycle('contended', alone);
    },
  };
}
