import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { CreateOrder, OrderReceipt } from './order.js';

/** How long the imaginary warehouse takes, in milliseconds. */
const WORK = 50;

@Injectable()
export class OrderService {
  async create(_order: CreateOrder): Promise<OrderReceipt> {
    await sleep(WORK);
    return { orderId: randomUUID() };
  }
}
