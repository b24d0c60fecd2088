import { Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ShippingService } from './shipping.service.js';

@Controller('orders')
export class ShippingController {
  constructor(@Inject(ShippingService) private readonly shipping: ShippingService) {}

  @Post(':id/ship')
  @HttpCode(200)
  ship(@Param('id') id: string): Promise<{ readonly orderId: string; readonly shipped: true }> {
    return this.shipping.ship(id);
  }
}
