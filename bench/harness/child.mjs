import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Another process that answers questions, one after the other.
 *
 * @typedef {object} Child
 * @property {(question: string, argument?: unknown) => Promise<any>} ask
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a program that calls {@link answer}.
 *
 * @param {URL} program
 * @returns {Child}
 */
export function startChild(program) {
  const child = fork(fileURLToPath(program));
  const ended = once(child, 'exit');
  return {
    ask: async (question, argument) => {
      const reply = once(child, 'message');
      // Where it cannot be sent any more, its end tells.
      child.send({ question, argument }, () => undefined);
      const answered = await Promise.race([reply, ended.then(() => undefined)]);
      if (answered === undefined) throw new Error(`${program.pathname} ended before it answered "${question}"`);
      const [{ error, result }] = answered;
      if (error !== undefined) throw new Error(error);
      return result;
    },
    stop: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/**
 * In the child: answers what is asked, and ends when nobody can ask any more, however the parent died.
 *
 * @param {Readonly<Record<string, (argument: any) => unknown>>} answers
 */
export function answer(answers) {
  const reply = async ({ question, argument }) => {
    try {
      process.send({ result: await answers[question](argument) });
    } catch (error) {
      process.send({ error: error instanceof Error ? error.stack : String(error) });
    }
  };
  process.on('message', (message) => void reply(message));
  process.on('disconnect', () => process.exit());
}
