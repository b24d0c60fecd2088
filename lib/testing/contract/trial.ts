import type { CacheClient } from '../../client/cache-client.js';
import type { Capabilities } from './subject.js';

/** What one test works with. */
export interface Trial {
  /** The client all tests share. */
  readonly client: CacheClient;
  /** The key prefix of that client. */
  readonly keyPrefix: string;
  readonly capabilities: Required<Omit<Capabilities, 'renamed'>> & Pick<Capabilities, 'renamed'>;
  /** A name nobody else uses. All of one test lie in the same hash slot. */
  readonly key: (name?: string) => string;
  /** A name nobody else uses, in whichever slot its number brings it to. */
  readonly scattered: (number: number) => string;
  /** Another client on the same data, closed after the test. */
  readonly open: (keyPrefix?: string) => Promise<CacheClient>;
  /** Resolves once `count` callers wait in blocking commands. */
  readonly blocked: (count: number) => Promise<void>;
}

/** How families of tests add theirs. A title begins with the ids of the requirements it proves. */
export type AddTest = (title: string, test: (trial: Trial) => Promise<void>) => void;

/** Tests that belong together. */
export type Family = (test: AddTest) => void;
