import { Module } from '@nestjs/common';
import { ValkeyModule } from 'nestjs-valkey';
import { HealthController } from './health/health.controller.js';
import { ProductsModule } from './products/products.module.js';
import { StatsModule } from './stats/stats.module.js';

/**
 * The storefront. It reads its server from the environment (`VALKEY_HOST`, `VALKEY_ADDRS`, `VALKEY_SENTINEL_ADDRS` …);
 * with nothing set it keeps its data in the process.
 */
@Module({
  imports: [ValkeyModule.forRoot(), StatsModule, ProductsModule],
  controllers: [HealthController],
})
export class AppModule {}
