import { cpus, loadavg } from 'node:os';

import { median, percentile } from './statistics.mjs';

/** @typedef {import('./compare.mjs').Comparison} Comparison */
/** @typedef {import('./compare.mjs').Measurement} Measurement */
/** @typedef {import('./questions.mjs').Question} Question */

/**
 * Who tells the results.
 *
 * @typedef {object} Reporter
 * @property {(question: Question) => void} begin
 * @property {(comparison: Comparison) => void} emit
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
        p50Micros: round(p50Micros, 1),
        p99Micros: round(p99Micros, 1),
        concurrency,
      };
      console.log(JSON.stringify(line));
    }
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
  emit: ({ concurrency, measurements }) => {
    const [baseline] = measurements;
    const header = ['', 'ops/s', 'CPU µs/op', 'p50 µs', 'p99 µs', `× ${baseline.subject}`, 'half of rounds'];
    const rows = measurements.map(rowOf);
    console.log(`\n${concurrency} ${concurrency === 1 ? 'caller' : 'callers'}`);
    for (const line of aligned([header, ...rows])) console.log(line);
  },
};

/** @param {Measurement} measurement */
function rowOf({ subject, opsPerSecond, cpuMicrosPerOp, p50Micros, p99Micros, ratios }) {
  return [
    subject,
    Math.round(opsPerSecond).toLocaleString('en'),
    cpuMicrosPerOp.toFixed(2),
    p50Micros.toFixed(0),
    p99Micros.toFixed(0),
    // Compared within each round first: what slowed down a whole round cancels out.
    median(ratios).toFixed(2),
    `${percentile(ratios, 25).toFixed(2)}–${percentile(ratios, 75).toFixed(2)}`,
  ];
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
