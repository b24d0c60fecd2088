import { setTimeout as pause } from 'node:timers/promises';

/**
 * Something that goes wrong, and is put right again before it resolves.
 *
 * @typedef {(random: () => number) => Promise<void>} Fault
 */

/** Lets things go wrong, one after the other, with a short peace between two. */
export class Faults {
  /** How often each has happened. @type {Map<string, number>} */
  done = new Map();
  /** Why some could not be made: a server that was just starting. @type {string[]} */
  errors = [];
  #faults;
  #random;
  #goesOn = true;
  #running = Promise.resolve();

  /**
   * @param {Readonly<Record<string, Fault>>} faults
   * @param {() => number} random
   */
  constructor(faults, random) {
    this.#faults = Object.entries(faults);
    this.#random = random;
  }

  start() {
    this.#running = this.#run();
  }

  async stop() {
    this.#goesOn = false;
    await this.#running;
  }

  async #run() {
    while (this.#goesOn) {
      await pause(200 + this.#random() * 800);
      const [name, fault] = this.#faults[Math.floor(this.#random() * this.#faults.length)];
      try {
        await fault(this.#random);
        this.done.set(name, (this.done.get(name) ?? 0) + 1);
      } catch (error) {
        this.errors.push(`${name}: ${error.message}`);
      }
    }
  }
}
