import { Module } from '@nestjs/common';
import { ValkeyModule } from 'nestjs-valkey';
import { PrometheusMetrics } from 'nestjs-valkey/prometheus';
import { AccountModule } from './account/account.module.js';
import { HealthModule } from './health/health.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { ProductsModule } from './products/products.module.js';
import { QuotesModule } from './quotes/quotes.module.js';
import { ReportsModule } from './reports/reports.module.js';
import { ShippingModule } from './shipping/shipping.module.js';
import { StatsModule } from './stats/stats.module.js';

/**
 * The storefront. It reads its server from the environment (`VALKEY_HOST`, `VALKEY_ADDRS`, `VALKEY_SENTINEL_ADDRS` …);
 * with nothing set it keeps its data in the process.
 */
@Module({
  imports: [
    // A shopper does not wait longer than this for a cache that hangs.
    ValkeyModule.forRoot({ resilience: { timeout: '250ms' }, interceptors: [PrometheusMetrics] }),
    MetricsModule,
    HealthModule,
    StatsModule,
    ProductsModule,
    OrdersModule,
    ShippingModule,
    QuotesModule,
    ReportsModule,
    AccountModule,
  ],
})
export class AppModule {}
