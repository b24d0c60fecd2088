import type { Decision } from '../../../lib/index.js';
import type { Answer, Question, Setup } from './processes.js';

/** A process of its own with a limiter in it. Runs compiled, beside the library. */

const REAL_DATE = Date;
const rejections: string[] = [];
process.on('unhandledRejection', (reason) => rejections.push(String(reason)));
process.on('disconnect', () => process.exit());

function shiftClock(milliseconds: number): void {
  globalThis.Date = class extends REAL_DATE {
    constructor(...args: [] | [string | number | Date]) {
      if (args.length === 0) super(REAL_DATE.now() + milliseconds);
      else super(args[0]);
    }
    static override now(): number {
      return REAL_DATE.now() + milliseconds;
    }
  } as DateConstructor;
}

const { client: options, clock, limiter: limiterOptions } = JSON.parse(process.argv[2] ?? '') as Setup;
if (clock !== 0) shiftClock(clock);
// The library stands beside the compiled form of this file.
const library = './index.js';
const { createClient, RateLimiter, resolveSettings } = (await import(
  library
)) as typeof import('../../../lib/index.js');
const client = createClient(resolveSettings({ drain: 100, ...options }, {}).settings);
await client.connect();
const limiter = new RateLimiter(client, limiterOptions);

process.on('message', ({ id, subject, limits, times, cost }: Question) => {
  const calls = Array.from({ length: times }, () => limiter.consume(subject, limits, { cost }));
  void Promise.allSettled(calls).then((settled) => {
    const decisions = settled.flatMap((each): Decision[] => (each.status === 'fulfilled' ? [each.value] : []));
    const errors = settled.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    process.send?.({ id, decisions, errors, rejections, time: Date.now() } satisfies Answer);
  });
});
process.send?.({ id: 0 });
