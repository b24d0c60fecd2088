import { Logger } from '@nestjs/common';
import type { ValkeyError } from '../core/errors.js';
import type { DriverStatus } from '../driver/driver.js';
import { formatUri } from '../options/uri.js';
import type { LogLevel, Settings } from '../options/settings.js';

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** The module's own log lines about one client, from `logLevel` on. No value and no secret is ever in one. */
export class ClientLog {
  readonly #logger = new Logger('ValkeyModule');
  readonly #rank: number;
  readonly #who: string;
  /** The state the log speaks of last: attempts in between, and keys that moved, are no news. */
  #told: DriverStatus['state'] = 'idle';

  constructor(settings: Settings) {
    this.#rank = RANK[settings.logLevel];
    this.#who = settings.name === 'default' ? 'client' : `client "${settings.name}"`;
    this.#debug(`The ${this.#who} is set up for ${describe(settings)}.`);
  }

  warn(text: string): void {
    if (this.#rank <= RANK.warn) this.#logger.warn(text);
  }

  embedded(): void {
    this.#info(
      `No server is configured: the ${this.#who} keeps its data in this process. Set VALKEY_HOST or VALKEY_URI to use one.`,
    );
  }

  ready(): void {
    this.#told = 'ready';
    this.#debug(`The ${this.#who} is ready.`);
  }

  degraded(reason: ValkeyError): void {
    this.#told = 'down';
    this.warn(`The ${this.#who} starts without its server and goes on trying. ${reason.message}`);
  }

  status(status: DriverStatus): void {
    switch (status.state) {
      case 'ready':
        if (this.#isNews(status)) this.#info(`The ${this.#who} is connected.`);
        return;
      case 'degraded':
      case 'down':
        if (this.#isNews(status)) this.warn(`The ${this.#who} is ${status.state}. ${status.reason.message}`);
        return;
      default:
        this.#debug(`The ${this.#who} is ${status.state}.`);
    }
  }

  #isNews({ state }: DriverStatus): boolean {
    const isNews = state !== this.#told;
    this.#told = state;
    return isNews;
  }

  #info(text: string): void {
    if (this.#rank <= RANK.info) this.#logger.log(text);
  }

  #debug(text: string): void {
    if (this.#rank <= RANK.debug) this.#logger.debug(text);
  }
}

function describe({ topology, driver }: Settings): string {
  switch (topology.mode) {
    case 'single':
      return formatUri([topology.address]);
    case 'cluster':
      return `a cluster at ${formatUri(topology.nodes)}`;
    case 'sentinel':
      return `"${topology.name}" behind the sentinels at ${formatUri(topology.sentinels)}`;
    case 'embedded':
      return `the driver "${driver}" in this process`;
  }
}
