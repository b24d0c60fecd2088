import { readCommandLine, USAGE, UsageError } from './harness/command-line.mjs';
import { loadQuestions } from './harness/questions.mjs';
import { jsonReporter, tableReporter } from './harness/report.mjs';
import { openServer } from './harness/server.mjs';

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}

// Nothing is left to wait for, and Node's own clearing up has been seen to spin for ever here (20.20, in
// Environment::CleanupHandles, after everything was closed; 2 of some 20 runs): exit() leaves it out.
process.exit();

/** @param {readonly string[]} args */
async function main(args) {
  const { questions: names, quick, json, list, help, callers, server: given } = readCommandLine(args);
  if (help) {
    console.log(USAGE);
    return;
  }
  const questions = await loadQuestions(names);
  if (list) {
    for (const { name, description } of questions) console.log(`${name}: ${description}`);
    return;
  }
  const reporter = json ? jsonReporter : tableReporter;
  const server = await openServer(given);
  try {
    for (const question of questions) {
      reporter.begin(question);
      await question.run({ quick, callers, server: server.address, emit: reporter.emit, tell: reporter.tell });
    }
  } finally {
    await server.stop();
  }
}
