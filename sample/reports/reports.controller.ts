import { Controller, Get } from '@nestjs/common';
import { RateLimit } from 'nestjs-valkey';
import type { RateLimitRequest } from 'nestjs-valkey';

/** With names of their own the plans are counted apart. */
const PLANS = {
  free: [
    { limit: 5, window: '10s', name: 'free-burst' },
    { limit: 20, window: '1m', name: 'free' },
  ],
  pro: { limit: 50, window: '10s', name: 'pro' },
} as const;

@Controller('reports')
export class ReportsController {
  /** A report is more work than other requests, so it costs 2. Whoever does not say `pro` is on the free plan. */
  @Get()
  @RateLimit({ plans: PLANS, plan: planOf, cost: 2 })
  report(): { readonly orders: number } {
    return { orders: 42 };
  }
}

/** A real shop would know its customers by their login: anybody can send a header. */
function planOf({ headers }: RateLimitRequest): keyof typeof PLANS {
  return headers['x-plan'] === 'pro' ? 'pro' : 'free';
}
