import 'reflect-metadata';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FromShop, ShopSetup, ToShop } from './shop-protocol.js';

/** A shop of its own process, whose orders its parent does. Runs compiled, beside the library. */

const send = (message: FromShop): void => void process.send?.(message);
const working = new Map<number, (answer: unknown) => void>();
let asked = 0;

process.on('unhandledRejection', (reason) =>
  send({ kind: 'rejection', text: String((reason as Error)?.stack ?? reason) }),
);
process.on('disconnect', () => process.exit());

async function open({ framework, client, idempotency }: ShopSetup): Promise<void> {
  // The library stands beside the compiled form of this file.
  const library = './index.js';
  const { events, Idempotent, ValkeyModule } = (await import(library)) as typeof import('../../../lib/index.js');
  events.idempotency.subscribe(({ outcome }) => send({ kind: 'event', outcome }));

  @Controller('orders')
  class OrderController {
    @Post()
    @Idempotent()
    create(@Body() body: unknown): Promise<unknown> {
      asked += 1;
      const id = asked;
      return new Promise((resolve) => {
        working.set(id, resolve);
        send({ kind: 'work', id, body });
      });
    }
  }

  @Module({
    imports: [ValkeyModule.forRoot({ ...client, logLevel: 'silent', idempotency } as object)],
    controllers: [OrderController],
  })
  class ShopModule {}

  const application =
    framework === 'Fastify'
      ? await NestFactory.create(ShopModule, new FastifyAdapter(), { logger: false })
      : await NestFactory.create(ShopModule, { logger: false });
  await application.listen(0, '127.0.0.1');
  send({ kind: 'ready', url: await application.getUrl() });
}

process.on('message', (message: ToShop) => {
  if (message.kind === 'worked') working.get(message.id)?.(message.answer);
  if (message.kind === 'setup') {
    open(message.setup).catch((error: unknown) => {
      process.stderr.write(`${String((error as Error).stack)}\n`);
      process.exit(1);
    });
  }
});
