import { parseArgs } from 'node:util';

/** What was typed makes no sense; the message says why. */
export class UsageError extends Error {}

export const USAGE = `npm run bench -- [question …] [--quick] [--json] [--callers 1,8,32,256] [--server host:port] [--list]

Without a question all are asked.
  --quick    about a minute per question, with rougher numbers
  --json     one JSON object per line on stdout (npm run --silent bench -- …, or npm adds its own lines)
  --callers  numbers of callers in flight; each question has its own default
  --server   measures against this server instead of starting one
  --list     lists the questions`;

const OPTIONS = /** @type {const} */ ({
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  callers: { type: 'string' },
  server: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
});

/**
 * @param {readonly string[]} args
 * @throws {UsageError}
 */
export function readCommandLine(args) {
  const { values, positionals } = parse(args);
  const { quick, json, list, help } = values;
  return {
    questions: positionals,
    quick,
    json,
    list,
    help,
    callers: values.callers === undefined ? undefined : readCallers(values.callers),
    server: values.server === undefined ? undefined : readServer(values.server),
  };
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @param {string} text */
function readCallers(text) {
  const callers = text.split(',').map(Number);
  if (callers.every((count) => Number.isInteger(count) && count > 0)) return callers;
  throw new UsageError(`--callers ${text}: write whole numbers from 1, separated by commas`);
}

/** @param {string} text */
function readServer(text) {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new UsageError(`--server ${text}: write host:port`);
  return { host, port: Number(port) };
}
