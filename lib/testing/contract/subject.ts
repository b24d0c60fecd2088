import type { CacheClient } from '../../client/cache-client.js';

/** How a client of the suite is opened. */
export interface ConnectOptions {
  /** The client's key prefix. */
  readonly keyPrefix: string;
}

/** A driver with whatever it needs to work, ready to be used by the suite. */
export interface OpenSubject {
  /**
   * Opens a client through the driver, connected. All clients work on the same data. The suite closes each client it
   * asked for.
   */
  connect(options: ConnectOptions): Promise<CacheClient>;
  /**
   * How many callers wait in blocking commands at the moment: `blocked_clients` of all primaries. Without it the suite
   * takes it that a command waits one turn of the event loop after the call, which is true in process only.
   */
  blocked?(): Promise<number> | number;
  /** Ends what `open` began. */
  close(): Promise<void>;
}

/** What a driver may leave out. What it has not, it has to refuse with `VALKEY_UNSUPPORTED`. */
export interface Capabilities {
  /** Runs Lua. Default true; without it scripts run through their `embedded` twins. */
  readonly lua?: boolean;
  /** Has SPUBLISH. Default true. */
  readonly shardChannels?: boolean;
  /** Tells changes of keys: has `track`. Default true. */
  readonly tracking?: boolean;
  /** Has OBJECT and COMMAND. Default true. */
  readonly introspection?: boolean;
  /**
   * Commands under names that the client's table does not hold, to try that it asks the server for their keys: start the
   * server with `rename-command GETSET x.getset` and `rename-command EVAL_RO x.eval`. Default: not tried.
   */
  readonly renamed?: { readonly GETSET: string; readonly EVAL_RO: string };
}

/** What {@link driverContract} puts to the test. */
export interface DriverUnderTest {
  /** Makes the driver ready; called once, before the first test. */
  open(): Promise<OpenSubject>;
  /** Key prefix of the clients. Run the suite once with glob characters in it. Default: none. */
  readonly keyPrefix?: string;
  /** Default: all of them but `renamed`. */
  readonly capabilities?: Capabilities;
}
