import { startChild } from '../harness/child.mjs';
import { clearCaches } from '../harness/dataset.mjs';
import { median } from '../harness/statistics.mjs';

export const name = 'cache-herd';
export const description = 'everybody in every process wants the same values at once, and none of them is there';

const PROCESSES = 4;
const KEYS = 100;
const CALLERS = 100;
const LOAD_MILLIS = 100;
const PROGRAM = new URL('../programs/herd.mjs', import.meta.url);

/** @type {import('../harness/questions.mjs').Question['run']} */
export async function run({ quick, server, tell }) {
  const children = Array.from({ length: PROCESSES }, () => startChild(PROGRAM));
  const askAll = (question, argument) => Promise.all(children.map((child) => child.ask(question, argument)));
  try {
    const [subjects] = await askAll('open', { server, loadMillis: LOAD_MILLIS });
    const results = new Map(subjects.map((subject) => [subject, { loads: [], wallMillis: [] }]));
    // The first round warms everybody up.
    for (let round = 0; round <= (quick ? 5 : 20); round += 1) {
      for (const subject of subjects) {
        const ids = Array.from({ length: KEYS }, (_, index) => `herd-${round}-${index}`);
        // Everybody is there and waits for this.
        const startedAt = performance.now();
        const loads = await askAll('rush', { subject, ids, callers: CALLERS });
        if (round === 0) continue;
        results.get(subject).wallMillis.push(performance.now() - startedAt);
        results.get(subject).loads.push(loads.reduce((sum, each) => sum + each));
      }
    }
    const rows = Array.from(results, ([subject, { loads, wallMillis }]) => ({
      subject,
      figures: { loads: Math.max(...loads), fewestLoads: Math.min(...loads), wallMillis: median(wallMillis) },
    }));
    const circumstances = `${PROCESSES} processes, ${KEYS} keys, ${CALLERS} callers for each, loading takes ${LOAD_MILLIS} ms`;
    tell({ question: name, circumstances, rows });
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await clearCaches(server);
  }
}
