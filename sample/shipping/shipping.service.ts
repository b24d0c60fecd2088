import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictException, Injectable, ServiceUnavailableException } from '@nestjs/common';
import { currentLock, isValkeyError, Locked } from 'nestjs-valkey';

/** How long the imaginary carrier takes, in milliseconds. */
const LATENCY = 50;

/** Ships orders; one order in one process at a time. */
@Injectable()
export class ShippingService {
  @Locked({
    key: (orderId: string) => `order:${orderId}`,
    wait: 0,
    error: (cause) =>
      isValkeyError(cause, 'VALKEY_LOCK_NOT_ACQUIRED')
        ? new ConflictException('The order is being shipped by somebody else.')
        : new ServiceUnavailableException('Nobody can tell whether the order is being shipped.', { cause }),
  })
  async ship(orderId: string): Promise<{ readonly orderId: string; readonly shipped: true }> {
    // Whoever has lost the lock stops asking the carrier.
    await sleep(LATENCY, undefined, { signal: currentLock()?.signal });
    return { orderId, shipped: true };
  }
}
