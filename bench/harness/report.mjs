import { cpus, loadavg } from 'node:os';

import { median, percentile } from './statistics.mjs';

/** @typedef {import('./compare.mjs').Comparison} Comparison */
/** @typedef {import('./compare.mjs').Measurement} Measurement */
/** @typedef {import('./questions.mjs').Question} Question */

/**
 * What was counted, or took how long: results that are no throughput.
 *
 * @typedef {object} Tally
 * @property {string} question
 * @property {string} circumstances In one line.
 * @property {readonly Row[]} rows All with the same figures.
 */

/**
 * @typedef {object} Row
 * @property {string} subject
 * @property {Readonly<Record<string, number>>} figures By name, with the unit at its end: `wallMillis`.
 */

/**
 * Who tells the results.
 *
 * @typedef {object} Reporter
 * @property {(question: Question) => void} begin
 * @property {(comparison: Comparison) => void} emit
 * @property {(tally: Tally) => void} tell
 */

/**
 * Writes one JSON object per line to stdout, and nothing else.
 *
 * @type {Reporter}
 */
export const jsonReporter = {
  begin: () => undefined,
  emit: ({ question, concurrency, measurements }) => {
    for (const { subject, opsPerSecond, cpuMicrosPerOp, p50Micros, p99Micros } of measurements) {
      const line = {
        question,
        subject,
        opsPerSecond: Math.round(opsPerSecond),
        cpuMicrosPerOp: round(cpuMicrosPerOp, 3),
        p50Micros: round(p50Micros, 2),
        p99Micros: round(p99Micros, 2),
        concurrency,
      };
      console.log(JSON.stringify(line));
    }
  },
  tell: ({ question, rows }) => {
    for (const { subject, figures } of rows) console.log(JSON.stringify({ question, subject, ...figures }));
  },
};

/**
 * Writes a table for people.
 *
 * @type {Reporter}
 */
export const tableReporter = {
  begin: ({ name, description }) => {
    const load = loadavg()[0].toFixed(1);
    console.log(`${name}: ${description}`);
    console.log(`Node ${process.version}, ${cpus().length} cores, load average before the run ${load}`);
  },
  emit: ({ concurrency, ratios, measurements }) => {
    const [{ subject: first }] = measurements;
    const compared = ratios === 'of-first' ? `${first} is ×` : `× ${first}`;
    const header = ['', 'ops/s', 'CPU µs/op', 'p50 µs', 'p99 µs', compared, 'half of rounds'];
    const rows = measurements.map(rowOf);
    console.log(`\n${concurrency} ${concurrency === 1 ? 'caller' : 'callers'}`);
    for (const line of aligned([header, ...rows])) console.log(line);
  },
  tell: ({ circumstances, rows }) => {
    const names = Object.keys(rows[0].figures);
    const lines = rows.map(({ subject, figures }) => [
      subject,
      ...names.map((name) => Math.round(figures[name]).toLocaleString('en')),
    ]);
    console.log(`\n${circumstances}`);
    for (const line of aligned([['', ...names.map(words)], ...lines])) console.log(line);
  },
};

/**
 * `wallMillis` as a heading: `wall millis`.
 *
 * @param {string} name
 */
function words(name) {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** @param {Measurement} measurement */
function rowOf({ subject, opsPerSecond, cpuMicrosPerOp, p50Micros, p99Micros, ratios }) {
  return [
    subject,
    Math.round(opsPerSecond).toLocaleString('en'),
    cpuMicrosPerOp.toFixed(2),
    micros(p50Micros),
    micros(p99Micros),
    // Compared within each round first: what slowed down a whole round cancels out.
    median(ratios).toFixed(2),
    `${percentile(ratios, 25).toFixed(2)}–${percentile(ratios, 75).toFixed(2)}`,
  ];
}

/** What never leaves the process takes less than one. @param {number} value */
function micros(value) {
  return value.toFixed(value < 10 ? 2 : 0);
}

/** @param {readonly (readonly string[])[]} rows */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
  );
}

/** @param {number} value @param {number} digits */
function round(value, digits) {
  return Number(value.toFixed(digits));
}
