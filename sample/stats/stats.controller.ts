import { Controller, Get, Inject } from '@nestjs/common';
import { Loads } from './loads.js';

@Controller('stats')
export class StatsController {
  constructor(@Inject(Loads) private readonly loads: Loads) {}

  @Get()
  stats(): { loads: Loads['counts'] } {
    return { loads: this.loads.counts };
  }
}
