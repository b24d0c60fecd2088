import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { CacheClient } from '../../client/cache-client.js';
import type { ClientHealth } from '../../client/health.js';
import { toMilliseconds } from '../../core/duration.js';
import type { Duration } from '../../core/duration.js';
import { ArgumentError } from '../../core/errors.js';
import { clientToken, DEFAULT_CLIENT } from '../tokens.js';

/** How a client's health is judged. */
export interface ValkeyHealthOptions {
  /** The client's name. Default: the unnamed one. */
  readonly client?: string;
  /** How long servers may take to answer. Default `'1s'`. */
  readonly timeout?: Duration;
  /**
   * Whether a server that is away takes the application down with it: HTTP 503 instead of `degraded` with 200. Default
   * false, because a cache that is away makes an application slower, not useless.
   */
  readonly critical?: boolean;
  /** Share of `maxmemory` in use from which the server counts as impaired, 0 to 1. Default: memory is not judged. */
  readonly memoryThreshold?: number;
}

/**
 * Tells terminus how a client and its servers are. Use it for readiness; liveness must never depend on a server elsewhere.
 *
 * @example
 * ```ts
 * @Get('ready')
 * @HealthCheck()
 * ready() {
 *   return this.health.check([() => this.valkey.isHealthy('cache')]);
 * }
 * ```
 */
@Injectable()
export class ValkeyHealthIndicator {
  readonly #indicators: HealthIndicatorService;
  readonly #modules: ModuleRef;

  constructor(
    @Inject(HealthIndicatorService) indicators: HealthIndicatorService,
    @Inject(ModuleRef) modules: ModuleRef,
  ) {
    this.#indicators = indicators;
    this.#modules = modules;
  }

  /** Answers within `timeout`, also when a node hangs; never rejects because a server is away. */
  async isHealthy<const Key extends string>(
    key: Key,
    options: ValkeyHealthOptions = {},
  ): Promise<HealthIndicatorResult<Key>> {
    const { client: name = DEFAULT_CLIENT, timeout = '1s', critical = false, memoryThreshold } = options;
    if (memoryThreshold !== undefined && !(memoryThreshold > 0 && memoryThreshold <= 1)) {
      throw new ArgumentError('memoryThreshold must be above 0 and at most 1.', { subject: 'memoryThreshold' });
    }
    const health = await this.#client(name).health({ timeout: toMilliseconds(timeout, 'timeout') });
    const indicator = this.#indicators.check(key);
    const details = { ...health };
    switch (judge(health, memoryThreshold)) {
      case 'up':
        return indicator.up(details) as HealthIndicatorResult<Key>;
      case 'impaired':
        return indicator.degraded(details) as HealthIndicatorResult<Key>;
      case 'away':
        return critical ? indicator.down(details) : indicator.degraded(details);
    }
  }

  #client(name: string): CacheClient {
    try {
      return this.#modules.get<CacheClient>(clientToken(name), { strict: false });
    } catch (error) {
      throw new ArgumentError(`There is no client "${name}". Register it: ValkeyModule.forRoot({ name: '${name}' }).`, {
        subject: 'client',
        cause: error,
      });
    }
  }
}

/** `impaired` still serves: part of a cluster is away, a circuit is open, memory is short. */
function judge(
  { state, nodes, circuits, clusterState, memory }: ClientHealth,
  threshold: number | undefined,
): 'up' | 'impaired' | 'away' {
  if (nodes.up === 0 || state === 'closed') return 'away';
  const full =
    threshold !== undefined && memory?.maxBytes !== undefined && memory.usedBytes / memory.maxBytes >= threshold;
  const whole =
    nodes.up === nodes.total && clusterState !== 'fail' && circuits.every((circuit) => circuit.state === 'closed');
  return whole && !full ? 'up' : 'impaired';
}
