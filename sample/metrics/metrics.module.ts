import { Module } from '@nestjs/common';
import { PrometheusMetrics } from 'nestjs-valkey/prometheus';
import { Registry } from 'prom-client';
import { MetricsController } from './metrics.controller.js';

/** A registry of the application's own: two applications in one process do not meet in it. */
@Module({
  controllers: [MetricsController],
  providers: [
    { provide: Registry, useFactory: () => new Registry() },
    {
      provide: PrometheusMetrics,
      inject: [Registry],
      useFactory: (register: Registry) => new PrometheusMetrics({ register }),
    },
  ],
})
export class MetricsModule {}
