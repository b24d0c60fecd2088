import { Controller, Get } from '@nestjs/common';
import { RateLimit } from 'nestjs-valkey';

interface Quote {
  readonly product: string;
  readonly price: number;
}

@Controller('quotes')
export class QuotesController {
  @Get()
  @RateLimit({ limit: 10, window: '10s' })
  quotes(): readonly Quote[] {
    return [{ product: '7', price: 100 }];
  }
}
