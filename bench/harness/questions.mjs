import { readdirSync } from 'node:fs';

import { UsageError } from './command-line.mjs';

/**
 * What a question is given.
 *
 * @typedef {object} Run
 * @property {boolean} quick Whether it has to end in about a minute.
 * @property {readonly number[] | undefined} callers Numbers of callers in flight to measure with, where they were asked for.
 * @property {import('./server.mjs').ServerAddress} server
 * @property {(comparison: import('./compare.mjs').Comparison) => void} emit Tells a result as soon as it is there.
 * @property {(tally: import('./report.mjs').Tally) => void} tell Tells a result that is no throughput.
 */

/**
 * A file in `bench/questions`, named like the question.
 *
 * @typedef {object} Question
 * @property {string} name
 * @property {string} description What is compared, in one line.
 * @property {(run: Run) => Promise<void>} run
 */

const FOLDER = new URL('../questions/', import.meta.url);

/**
 * Loads the questions asked for; none named means all.
 *
 * @param {readonly string[]} names
 * @returns {Promise<readonly Question[]>}
 * @throws {UsageError} when one of them does not exist
 */
export async function loadQuestions(names) {
  const known = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.slice(0, -'.mjs'.length))
    .toSorted();
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`no such question: ${unknown.join(', ')}; known: ${known.join(', ')}`);
  const chosen = names.length > 0 ? [...new Set(names)] : known;
  return Promise.all(chosen.map((name) => import(new URL(`${name}.mjs`, FOLDER).href)));
}
