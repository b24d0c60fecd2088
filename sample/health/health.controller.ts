import { Controller, Get } from '@nestjs/common';

@Controller('health')
export class HealthController {
  /** Whether the process should be restarted; that never depends on a server elsewhere. */
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }
}
