import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Loads } from '../stats/loads.js';

export type Permission = 'orders:read' | 'orders:write' | 'products:write';

/** How long the imaginary database takes, in milliseconds. */
const LATENCY = 50;

/** Stands in for a slow database in which every name is a shopper's, and one that of the shop's owner. */
@Injectable()
export class UserRepository {
  constructor(@Inject(Loads) private readonly loads: Loads) {}

  async permissionsOf(user: string): Promise<readonly Permission[]> {
    this.loads.count('permissions');
    await sleep(LATENCY);
    return user === 'owner' ? ['orders:read', 'orders:write', 'products:write'] : ['orders:read', 'orders:write'];
  }
}
