import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictException, Injectable } from '@nestjs/common';
import { currentLock, Locked } from 'nestjs-valkey';

/** How long the imaginary carrier takes, in milliseconds. */
const LATENCY = 50;

/** Ships orders; one order in one process at a time. */
@Injectable()
export class ShippingService {
  @Locked({
    key: (orderId: string) => `order:${orderId}`,
    wait: 0,
    error: () => new ConflictException('The order is being shipped by somebody else.'),
  })
  async ship(orderId: string): Promise<{ readonly orderId: string; readonly shipped: true }> {
    // Whoever has lost the lock stops asking the carrier.
    await sleep(LATENCY, undefined, { signal: currentLock()?.signal });
    return { orderId, shipped: true };
  }
}
