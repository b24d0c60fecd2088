import type { Patience } from './patience.js';

/** A place in the queue. */
export interface Turn {
  /** False when patience was over before. */
  readonly isOurs: boolean;
  /** Lets the next one have theirs. */
  leave(): void;
}

/** Lets those of this process who want the same lock ask for it one after another: first come, first served. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when it is our turn, or `patience` is over. It has to be left in any case. */
  async enter(name: string, patience: Patience): Promise<Turn> {
    const before = this.#last.get(name);
    let leave = (): void => undefined;
    const own = new Promise<void>((resolve) => {
      leave = resolve;
    });
    // Who has lost patience leaves early, and those behind still wait for those before.
    const turn = before ? before.then(() => own) : own;
    this.#last.set(name, turn);
    void turn.then(() => {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    });
    const isOurs = before === undefined || ((await inTime(before, patience)) && patience.left > 0);
    return { isOurs, leave };
  }
}

/** Whether `turn` comes before `patience` is over. */
function inTime(turn: Promise<void>, patience: Patience): Promise<boolean> {
  return new Promise((resolve) => {
    const end = patience.onEnd(() => resolve(false));
    void turn.then(() => {
      end();
      resolve(true);
    });
  });
}
