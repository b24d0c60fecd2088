import type { Address } from '../../options/settings.js';

/** Where the server says a command should have gone. */
export interface Redirection {
  /** `moved`: for good. `ask`: this once, while a slot is on its way. */
  readonly kind: 'moved' | 'ask';
  readonly slot: number;
  readonly address: Address;
}

const FORM = /^(MOVED|ASK) (\d+) (.*):(\d+)$/;

/** Reads `MOVED 3999 127.0.0.1:6381`; an empty host means the one that answered. */
export function readRedirection(message: string, answeredBy: string): Redirection | undefined {
  const match = FORM.exec(message);
  if (!match) return undefined;
  const [, word, slot, host, port] = match;
  return {
    kind: word === 'MOVED' ? 'moved' : 'ask',
    slot: Number(slot),
    address: {
      host: host === '' || host === undefined ? answeredBy : host.replace(/^\[|\]$/g, ''),
      port: Number(port),
    },
  };
}
