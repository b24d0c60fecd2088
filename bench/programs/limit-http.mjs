import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Throttle, ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { Redis } from 'ioredis';
import { RateLimit, ValkeyModule } from 'nestjs-valkey';

import { decorate } from '../caches/ours.mjs';
import { answer } from '../harness/child.mjs';

/**
 * One application with the same route three times, `/bare/ample`, `/rate-limit/ample` and `/throttler/ample`, and beside
 * each limited one the same with a limit that is soon reached: `/rate-limit/small`, `/throttler/small`.
 */

/** No window ends while it is measured. */
const WINDOW_MILLIS = 600_000;
/** What nobody reaches while it is measured. */
const AMPLE = 1_000_000_000;

answer({
  open: async ({ server, small }) => {
    const redis = new Redis({
      ...server,
      lazyConnect: true,
      enableAutoPipelining: true,
      keyPrefix: 'bench:throttler:',
    });
    await redis.connect();
    const limit = (most) => RateLimit({ algorithm: 'fixed-window', limit: most, window: WINDOW_MILLIS });
    const throttle = (most) => [UseGuards(ThrottlerGuard), Throttle({ default: { limit: most, ttl: WINDOW_MILLIS } })];
    const module = {
      module: class Bench {},
      imports: [
        ValkeyModule.forRoot({ ...server, keyPrefix: 'bench:' }),
        ThrottlerModule.forRoot({
          throttlers: [{ limit: AMPLE, ttl: WINDOW_MILLIS }],
          storage: new ThrottlerStorageRedisService(redis),
        }),
      ],
      controllers: [
        controller('bare', [], []),
        controller('rate-limit', [limit(AMPLE)], [limit(small)]),
        controller('throttler', throttle(AMPLE), throttle(small)),
      ],
    };
    const application = await NestFactory.create(module, new FastifyAdapter(), { logger: false });
    await application.listen(0, '127.0.0.1');
    return application.getUrl();
  },
  cpuUsage: () => process.cpuUsage(),
});

/**
 * @param {string} path
 * @param {readonly MethodDecorator[]} ample
 * @param {readonly MethodDecorator[]} small
 */
function controller(path, ample, small) {
  class QuoteController {
    async ample() {
      return QUOTE;
    }

    async small() {
      return QUOTE;
    }
  }
  decorate(QuoteController, 'ample', Get('ample'), ...ample);
  decorate(QuoteController, 'small', Get('small'), ...small);
  Controller(path)(QuoteController);
  // Both libraries name what they count after the class.
  Object.defineProperty(QuoteController, 'name', { value: `${path}-controller` });
  return QuoteController;
}

const QUOTE = { id: 'quote-1', text: 'A fast wrong answer is no result.', author: 'nobody' };
