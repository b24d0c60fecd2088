import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { SkipThrottle, Throttle, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import type { ThrottlerOptions } from '@nestjs/throttler';
import type { AddressInfo } from 'node:net';
import type { CacheClient, RateLimiterOptions } from '../../lib/index.js';

/** An application behind throttler's guard, in a process of its own. Runs compiled, beside the library. */

/** What it is started with, as its only argument. */
export interface ApplicationSetup {
  readonly port: number;
  readonly throttlers: ThrottlerOptions[];
  readonly options: RateLimiterOptions;
}

const beside = (path: string): Promise<unknown> => import(new URL(path, import.meta.url).href);
const { CACHE_CLIENT, ValkeyModule } = (await beside('index.js')) as typeof import('../../lib/index.js');
const { ValkeyThrottlerStorage } = (await beside(
  'throttler/index.js',
)) as typeof import('../../lib/throttler/index.js');

const { port, throttlers, options } = JSON.parse(process.argv[2] ?? '') as ApplicationSetup;

@Controller()
class QuoteController {
  @Get('quotes')
  quotes(): string {
    return 'quotes';
  }

  @Throttle({ default: { limit: 1, ttl: 60_000, blockDuration: 5_000 } })
  @Get('reports')
  reports(): string {
    return 'reports';
  }

  @SkipThrottle({ short: true, long: true })
  @Get('free')
  free(): string {
    return 'free';
  }
}

@Module({
  imports: [
    ValkeyModule.forRoot({ host: '127.0.0.1', port, drain: 100, logLevel: 'silent' }),
    ThrottlerModule.forRootAsync({
      inject: [CACHE_CLIENT],
      useFactory: (client: CacheClient) => ({ throttlers, storage: new ValkeyThrottlerStorage(client, options) }),
    }),
  ],
  controllers: [QuoteController],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})
class AppModule {}

const application = await NestFactory.create(AppModule, { logger: false });
application.enableShutdownHooks();
await application.listen(0, '127.0.0.1');
process.on('disconnect', () => void application.close().then(() => process.exit()));
process.send?.((application.getHttpServer().address() as AddressInfo).port);
