import dns from 'node:dns';

type Lookup = typeof dns.lookup;
type Answer = (error: Error | null, address: string | dns.LookupAddress[], family?: number) => void;

/**
 * Names that lead where a test says, as long as it runs: what a process sees of a changed DNS answer. Sockets look names up
 * through `dns.lookup`; other names go their usual way.
 */
export class Names {
  readonly #addresses = new Map<string, string>();
  readonly #original = dns.lookup;

  constructor() {
    const lookup = (host: string, options: { readonly all?: boolean }, answer: Answer): void => {
      const address = this.#addresses.get(host);
      if (address === undefined) this.#original(host, options, answer as never);
      else if (options.all) process.nextTick(answer, null, [{ address, family: 4 }]);
      else process.nextTick(answer, null, address, 4);
    };
    dns.lookup = lookup as Lookup;
  }

  /** From now on. */
  lead(name: string, address: string): void {
    this.#addresses.set(name, address);
  }

  restore(): void {
    dns.lookup = this.#original;
  }
}
