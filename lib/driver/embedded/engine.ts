import { UnsupportedError } from '../../core/errors.js';
import type { Argument, Operation, Reply } from '../driver.js';
import { Changes } from './changes.js';
import { Channels } from './channels.js';
import { COMMANDS } from './commands/index.js';
import { at, upper, Wait, type Command } from './command.js';
import { atom, lengthOf } from './data/bytes.js';
import { MEMBER_OVERHEAD } from './data/hash.js';
import { present } from './presentation.js';
import { outOfMemory, refusal, wrongArity } from './refusal.js';
import type { Runner } from './runner.js';
import { checkScript, runScript } from './scripts.js';
import { Store, type Bounds, type Clock } from './store.js';
import { runTransaction } from './transactions.js';
import { Waiters } from './waiters.js';
import { Watches, type Watch } from './watches.js';

/** Characters of UTF-16 become at most three bytes each. */
const MOST_BYTES_PER_UNIT = 3;

/** Checks commands and runs them on the store, one at a time. */
export class Engine implements Runner {
  readonly store: Store;
  readonly channels = new Channels();
  readonly changes = new Changes();
  readonly waiters = new Waiters();
  readonly watches = new Watches();

  constructor(bounds: Bounds, clock: Clock) {
    this.store = new Store(bounds, clock, (key) => {
      this.watches.notice(key);
      this.waiters.notice(key);
      this.changes.notice(key);
    });
  }

  /** Runs one operation and settles it, unless it now waits. What it throws is its error. */
  perform(operation: Operation, watch: Watch | undefined): void {
    const reply = this.store.atOneInstant(() => this.#replyTo(operation, watch));
    if (reply instanceof Wait) {
      this.waiters.add(operation, reply, (value) => present(value, operation.binary));
      return;
    }
    operation.settle({ ok: true, value: reply });
  }

  /** Does what became possible through the last operation: serves who waits, tells changes, hands over messages. */
  afterwards(): void {
    this.store.atOneInstant(() => this.waiters.serve());
    this.store.trim();
    this.changes.flush();
    this.channels.flush();
  }

  check(operation: Operation): void {
    if (operation.script === undefined) resolve(operation.command, operation.args);
    else checkScript(operation);
  }

  inTransaction(operation: Operation): Reply {
    if (operation.script !== undefined) return runScript(this, operation);
    return present(this.invoke(operation.command, operation.args), operation.binary);
  }

  invoke(name: string, args: readonly Argument[]): Reply {
    const reply = this.#call(name, args);
    return reply instanceof Wait ? null : reply;
  }

  #replyTo(operation: Operation, watch: Watch | undefined): Reply | Wait {
    if (operation.transaction !== undefined) return runTransaction(this, operation.transaction, watch);
    if (operation.script !== undefined) return runScript(this, operation);
    if (operation.command === 'WATCH' || operation.command === 'UNWATCH') return this.#watch(operation, watch);
    const reply = this.#call(operation.command, operation.args);
    return reply instanceof Wait ? reply : present(reply, operation.binary);
  }

  #call(name: string, args: readonly Argument[]): Reply | Wait {
    const command = resolve(name, args);
    if (command.grows === true) this.#makeSureOfRoom(args);
    return command.run(this, command.nested === true ? args.slice(1) : args);
  }

  #watch(operation: Operation, watch: Watch | undefined): Reply {
    if (operation.command === 'WATCH') {
      if (watch === undefined) {
        throw new UnsupportedError('WATCH needs a session of its own. Use transaction() with watch, or session().', {
          subject: 'WATCH',
        });
      }
      if (operation.args.length === 0) throw wrongArity('watch');
      for (const key of operation.args) {
        this.store.peek(atom(key));
        this.watches.add(atom(key), watch);
      }
    } else if (watch !== undefined) this.watches.clear(watch);
    return present('OK', operation.binary);
  }

  #makeSureOfRoom(args: readonly Argument[]): void {
    const key = atom(at(args, 0));
    let most = 0;
    for (const argument of args) most += argument.length * MOST_BYTES_PER_UNIT + MEMBER_OVERHEAD;
    if (!this.store.refuses(key, most)) return;
    let needed = 0;
    for (const argument of args) needed += typeof argument === 'string' ? lengthOf(argument) : argument.length;
    if (this.store.refuses(key, needed)) throw outOfMemory();
  }
}

function resolve(name: string, args: readonly Argument[]): Command {
  const command = COMMANDS.get(name);
  if (command === undefined) throw unknown(name);
  checkArity(name, command, args);
  if (command.subcommands === undefined) return command;
  const word = upper(at(args, 0));
  const subcommand = command.subcommands.get(word);
  if (subcommand === undefined) throw refusal(`unknown subcommand. Try ${name} HELP.`);
  checkArity(`${name}|${word}`, subcommand, args);
  return subcommand;
}

function checkArity(name: string, { arity }: Command, args: readonly Argument[]): void {
  const given = args.length + 1;
  if (arity >= 0 ? given !== arity : given < -arity) throw wrongArity(name);
}

const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['MULTI', 'Use transaction().'],
  ['EXEC', 'Use transaction().'],
  ['DISCARD', 'Use transaction().'],
  ['WATCH', 'Use transaction() with watch.'],
  ['SUBSCRIBE', 'Use subscribe().'],
  ['PSUBSCRIBE', 'Use psubscribe().'],
  ['EVAL', 'It runs no Lua: use defineScript() with `embedded`, the same script in TypeScript, and run().'],
  ['EVALSHA', 'It runs no Lua: use defineScript() with `embedded`, the same script in TypeScript, and run().'],
  ['FCALL', 'It runs no Lua: use defineScript() with `embedded`, the same script in TypeScript, and run().'],
]);

function unknown(name: string): UnsupportedError {
  const advice = INSTEAD.get(name) ?? 'Use a server (topology single, cluster or sentinel) if you need it.';
  return new UnsupportedError(`The embedded driver does not know the command ${name}. ${advice}`, { subject: name });
}
