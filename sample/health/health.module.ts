import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ValkeyHealthIndicator } from 'nestjs-valkey/terminus';
import { HealthController } from './health.controller.js';

@Module({
  imports: [TerminusModule],
  controllers: [HealthController],
  providers: [ValkeyHealthIndicator],
})
export class HealthModule {}
