import { BadRequestException, Body, Controller, Inject, Post, Res } from '@nestjs/common';
import { Idempotent } from 'nestjs-valkey';
import type { CreateOrder, OrderReceipt } from './order.js';
import { OrderService } from './order.service.js';

/** What Express's response can do, as far as it is needed here. */
interface Response {
  location(url: string): unknown;
}

const MOST = 1_000;

@Controller('orders')
export class OrderController {
  constructor(@Inject(OrderService) private readonly orders: OrderService) {}

  /** However often a shopper's request arrives: one order for each `Idempotency-Key`. */
  @Idempotent({ ttl: '24h' })
  @Post()
  async create(@Body() body: unknown, @Res({ passthrough: true }) response: Response): Promise<OrderReceipt> {
    const receipt = await this.orders.create(toOrder(body));
    response.location(`/orders/${receipt.orderId}`);
    return receipt;
  }
}

function toOrder(body: unknown): CreateOrder {
  const { productId, quantity } = (body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof productId !== 'string' || productId === '') throw new BadRequestException('productId must be a text');
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1 || quantity > MOST) {
    throw new BadRequestException(`quantity must be a whole number from 1 to ${MOST}`);
  }
  return { productId, quantity };
}
