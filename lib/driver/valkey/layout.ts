import type { DriverStatus, NodeInfo, Operation, Route, Session } from '../driver.js';

/** How servers are laid out: what of the driver differs between a single server, sentinels and a cluster. */
export interface Layout {
  open(): Promise<void>;
  close(): void;
  execute(batch: readonly Operation[]): void;
  suspect(operation: Operation): void;
  route(operation: Operation): Route;
  primaries(fresh: boolean): Promise<readonly Route[]>;
  session(operation: Operation): Promise<Session>;
  nodes(): readonly NodeInfo[];
  status(): DriverStatus;
  /** The underlying client, see `Driver.native`. */
  native(): unknown;
  /** Re-authenticates every live connection. */
  authenticate(credentials: { readonly username?: string; readonly password: string }): Promise<void>;
}
