import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import type { HealthCheckResult } from '@nestjs/terminus';
import { ValkeyHealthIndicator } from 'nestjs-valkey/terminus';

@Controller('health')
export class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(ValkeyHealthIndicator) private readonly valkey: ValkeyHealthIndicator,
  ) {}

  /** Whether the process should be restarted; that never depends on a server elsewhere. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Whether it should get requests. Without its cache it is slower, so that is `degraded`, with 200. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.valkey.isHealthy('cache', { timeout: '500ms' })]);
  }
}
