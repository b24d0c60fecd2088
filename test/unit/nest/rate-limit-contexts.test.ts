import { ConsoleLogger, Controller, Get, Inject, Injectable, Logger } from '@nestjs/common';
import type { DynamicModule, ExecutionContext, INestApplication } from '@nestjs/common';
import { Args, Context, Field, GraphQLModule, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { MercuriusDriverConfig } from '@nestjs/mercurius';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import type { ClientProxy, MicroserviceOptions } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Cron, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { firstValueFrom } from 'rxjs';
import { WebSocket } from 'ws';
import { Cacheable, RateLimit, RateLimitExceededError, SkipRateLimit, ValkeyModule } from '../../../lib/index.js';
import type { RateLimitModuleOptions } from '../../../lib/index.js';
import { freePort, until } from '../../support/index.js';

// It serves mercurius's own page, and on Node 20 Jest cannot load it: an ES module behind a require().
import.meta.jest.mock('@fastify/static', () => () => undefined);
const { MercuriusDriver } = await import('@nestjs/mercurius');

const runs: Record<string, number> = {};

function ran(what: string): string {
  runs[what] = (runs[what] ?? 0) + 1;
  return what;
}

@ObjectType()
class Shelf {
  @Field(() => String)
  name = '';

  @Field(() => String)
  books = '';
}

@Resolver(() => Shelf)
class ShelfResolver {
  @Query(() => Shelf)
  @RateLimit({ limit: 2, window: '1m' })
  shelf(): Shelf {
    ran('shelf');
    return { name: 'a', books: '' };
  }

  @RateLimit({ limit: 1, window: '1m', by: ({ headers }) => headers['x-key'] as string })
  @Query(() => String)
  keyed(): string {
    return ran('keyed');
  }

  @Query(() => String)
  free(@Args('text', { nullable: true }) text?: string, @Context() _context?: object): string {
    return ran(`free${text ?? ''}`);
  }

  /** Nest asks no guard before a field, unless it is told to: it is limited as a plain method. */
  @ResolveField(() => String)
  @RateLimit({ limit: 1, window: '1m', by: 'global' })
  async books(): Promise<string> {
    return ran('books');
  }
}

@Resolver()
@RateLimit({ limit: 1, window: '1m' })
class GuardedResolver {
  @Query(() => String)
  guardedOne(): string {
    return ran('guardedOne');
  }

  @Query(() => String)
  guardedTwo(): string {
    return ran('guardedTwo');
  }
}

@WebSocketGateway()
class ChatGateway {
  @SubscribeMessage('say')
  @RateLimit({ limit: 2, window: '1m', error: ({ retryAfter }) => new WsException(`wait ${retryAfter}`) })
  say(@MessageBody() text: string): object {
    ran('say');
    return { event: 'said', data: text };
  }

  @RateLimit({
    limit: 1,
    window: '1m',
    by: (_client: unknown, context: ExecutionContext) => context.switchToWs().getData<{ room: string }>().room,
    error: ({ limit }) => new WsException(limit),
  })
  @SubscribeMessage('join')
  join(@MessageBody() { room }: { room: string }): object {
    return { event: 'joined', data: room };
  }
}

@Controller()
class OrderController {
  @MessagePattern('price')
  @RateLimit({
    limit: 1,
    window: '1m',
    by: ({ sku }: { sku: string }) => sku,
    error: ({ error }) => new RpcException(error.code),
  })
  price(@Payload() { sku }: { sku: string }): string {
    return ran(`price ${sku}`);
  }

  @RateLimit({ limit: 1, window: '1m' })
  @EventPattern('sold')
  sold(@Payload() _sold: unknown): void {
    ran('sold');
  }

  @MessagePattern('free')
  @SkipRateLimit()
  free(): string {
    return ran('rpc free');
  }

  /** Everybody together: a wrapper that decides as well would count on the same counter. */
  @Get('orders')
  @RateLimit({ limit: 2, window: '1m', by: 'global' })
  orders(): string {
    return ran('orders');
  }
}

@Injectable()
class Jobs {
  readonly failures: unknown[] = [];

  @Cron('0 0 1 1 *', { name: 'above' })
  @RateLimit({ limit: 1, window: '1m' })
  async above(): Promise<void> {
    ran('above');
  }

  @RateLimit({ limit: 1, window: '1m' })
  @Cron('0 0 1 1 *', { name: 'below' })
  async below(): Promise<void> {
    ran('below');
  }

  @Interval('often', 5)
  @RateLimit({ limit: 2, window: '1m' })
  async often(): Promise<void> {
    ran('often');
  }
}

const COST = Symbol('COST');

@Injectable()
class Mailer {
  constructor(@Inject(COST) readonly cost: number) {}

  @RateLimit({ limit: 2, window: '1m', by: (to: string) => to })
  async send(to: string, text: string): Promise<string> {
    return ran(`${to} ${text}`);
  }

  @RateLimit({
    limit: 3,
    window: '1m',
    cost(this: Mailer, _to: string, size: number): number {
      return size * this.cost;
    },
  })
  async attach(to: string, size: number): Promise<string> {
    return ran(`${to} ${size}`);
  }

  @Cacheable({ ttl: '1m' })
  @RateLimit({ limit: 1, window: '1m' })
  async cached(id: string): Promise<string> {
    return ran(`cached ${id}`);
  }

  @RateLimit({ limit: 1, window: '1m' })
  @Cacheable({ ttl: '1m' })
  async outside(): Promise<string> {
    return ran('outside');
  }

  @RateLimit({ limit: 3, window: '1m' })
  @RateLimit({ limit: 1, window: '1m', by: (to: string) => to })
  async twice(to: string): Promise<string> {
    return ran(`twice ${to}`);
  }

  @RateLimit({ limit: 1, window: '1m', error: ({ context }) => new TypeError(context) })
  async replaced(): Promise<string> {
    return ran('replaced');
  }

  @RateLimit({ limit: 1, window: '1m', by: () => undefined })
  async nobody(): Promise<string> {
    return ran('nobody');
  }
}

@Injectable()
class LoudMailer extends Mailer {
  override async send(to: string, text: string): Promise<string> {
    return super.send(to, text.toUpperCase());
  }
}

/** Made by a factory: Nest injects nothing into it. */
class Printer {
  @RateLimit({ limit: 1, window: '1m' })
  async print(): Promise<string> {
    return ran('print');
  }
}

let application: NestFastifyApplication;
let rpc: ClientProxy;

async function start(
  rateLimit: RateLimitModuleOptions = {},
  graphql: Partial<MercuriusDriverConfig> = {},
): Promise<INestApplication> {
  const imports: DynamicModule[] = [
    ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', rateLimit }),
    GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true, ...graphql }),
    ScheduleModule.forRoot(),
  ];
  const module = await Test.createTestingModule({
    imports,
    controllers: [OrderController],
    providers: [
      ShelfResolver,
      GuardedResolver,
      ChatGateway,
      Jobs,
      Mailer,
      LoudMailer,
      { provide: COST, useValue: 2 },
      { provide: Printer, useFactory: () => new Printer() },
    ],
  }).compile();
  // Refusals in WebSockets, RPC and jobs are errors like any other to Nest, and it logs them.
  Logger.overrideLogger(false);
  application = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  application.useWebSocketAdapter(new WsAdapter(application));
  const options = { host: '127.0.0.1', port: await freePort() };
  application.connectMicroservice<MicroserviceOptions>(
    { transport: Transport.TCP, options },
    { inheritAppConfig: true },
  );
  await application.startAllMicroservices();
  await application.listen(0, '127.0.0.1');
  rpc = ClientProxyFactory.create({ transport: Transport.TCP, options });
  return application;
}

afterEach(async () => {
  Logger.overrideLogger(new ConsoleLogger());
  rpc.close();
  await application.close();
  for (const what of Object.keys(runs)) delete runs[what];
});

/** What a query gives; an error by its message. */
async function query(text: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const response = await fetch(`${await application.getUrl()}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: `{ ${text} }` }),
  });
  const { data, errors } = (await response.json()) as { data?: unknown; errors?: { message: string }[] };
  return errors?.[0]?.message ?? data;
}

/** What a gateway answers to each message, over one connection. */
async function talk(...messages: readonly object[]): Promise<readonly unknown[]> {
  const socket = new WebSocket((await application.getUrl()).replace('http', 'ws'));
  const answers: unknown[] = [];
  socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString('utf8'))));
  await new Promise((opened) => void socket.once('open', opened));
  for (const [index, message] of messages.entries()) {
    socket.send(JSON.stringify(message));
    await until(() => answers.length > index, { what: 'the gateway answers' });
  }
  socket.close();
  return answers;
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
}

const send = (pattern: string, payload: unknown): Promise<unknown> => firstValueFrom(rpc.send(pattern, payload));

describe('[L15] [RLM-1] @RateLimit() in every context', () => {
  it('limits GraphQL queries by the address of the request, once for each', async () => {
    await start();

    expect(await query('one: shelf { name } two: shelf { name }')).toEqual({ one: { name: 'a' }, two: { name: 'a' } });
    expect(await query('shelf { name }')).toMatch(/^"2-per-60s" is exceeded\. Try again in \d+ s\.$/);
    expect(runs['shelf']).toBe(2);
  });

  it('gives functions the request behind a GraphQL query', async () => {
    await start();

    expect(await query('keyed', { 'x-key': 'a' })).toEqual({ keyed: 'keyed' });
    expect(await query('keyed', { 'x-key': 'a' })).toContain('is exceeded');
    expect(await query('keyed', { 'x-key': 'b' })).toEqual({ keyed: 'keyed' });
  });

  it('limits all queries of a resolver together', async () => {
    await start();

    expect(await query('guardedOne')).toEqual({ guardedOne: 'guardedOne' });
    expect(await query('guardedTwo')).toContain('is exceeded');
  });

  it.each([[[]], [['guards']]] as const)('limits a field as a plain method, with enhancers %j', async (enhancers) => {
    await start({ limits: { limit: 3, window: '1m' } }, { fieldResolverEnhancers: [...enhancers] });

    expect(await query('shelf { books }')).toEqual({ shelf: { books: 'books' } });
    expect(await query('shelf { books }')).toContain('The rate limit "ShelfResolver.books" refused the call');
    // Fields have not counted for the default.
    expect(await query('a: free b: free c: free')).toEqual({ a: 'free', b: 'free', c: 'free' });
    expect(await query('free')).toContain('is exceeded');
  });

  it('limits messages of a gateway by the address of the client', async () => {
    await start();
    const hello = { event: 'say', data: 'hello' };

    expect(await talk(hello)).toEqual([{ event: 'said', data: 'hello' }]);
    expect(await talk(hello, hello)).toEqual([
      { event: 'said', data: 'hello' },
      { event: 'exception', data: expect.objectContaining({ message: expect.stringMatching(/^wait \d+$/) }) },
    ]);
    expect(runs['say']).toBe(2);
  });

  it('limits messages of a gateway by what they say', async () => {
    await start();
    const join = (room: string): object => ({ event: 'join', data: { room } });
    const answers = await talk(join('a'), join('a'), join('b'));

    expect(answers).toMatchObject([
      { event: 'joined', data: 'a' },
      { event: 'exception', data: { message: 'ChatGateway.join' } },
      { event: 'joined', data: 'b' },
    ]);
  });

  it('limits messages and events of a microservice', async () => {
    await start();

    expect(await send('price', { sku: 'a' })).toBe('price a');
    expect(await failure(send('price', { sku: 'a' }))).toMatchObject({ message: 'VALKEY_RATE_LIMITED' });
    expect(await send('price', { sku: 'b' })).toBe('price b');
    for (const _ of [1, 2, 3]) await firstValueFrom(rpc.emit('sold', {}), { defaultValue: undefined });
    // Whatever was sent before has arrived by now.
    await send('price', { sku: 'c' });
    expect(runs['sold']).toBe(1);
  });

  it('[RLM-5] limits handlers of every kind by default, together, and those with an own limit by that', async () => {
    await start({ limits: { limit: 2, window: '1m' }, by: 'global' });

    expect(await query('free')).toEqual({ free: 'free' });
    expect(await query('shelf { name }')).toEqual({ shelf: { name: 'a' } });
    expect(await send('price', { sku: 'a' })).toBe('price a');
    expect(await query('free')).toEqual({ free: 'free' });
    expect(await query('free')).toContain('"2-per-60s" is exceeded');
    expect(await send('free', {})).toBe('rpc free');
  });

  it('counts a route once, though guard and wrapper both stand there', async () => {
    await start();
    const statuses: number[] = [];
    for (const _ of [1, 2, 3]) statuses.push((await fetch(`${await application.getUrl()}/orders`)).status);

    expect(statuses).toEqual([200, 200, 429]);
  });

  it('limits jobs, whichever decorator stands above', async () => {
    await start();
    const jobs = application.get(SchedulerRegistry);
    for (const name of ['above', 'below', 'above', 'below']) await jobs.getCronJob(name).fireOnTick();
    await until(() => runs['often'] === 2, { what: 'the interval has run twice' });

    expect(runs).toMatchObject({ above: 1, below: 1 });
    await expect(application.get(Jobs).often()).rejects.toMatchObject({ code: 'VALKEY_RATE_LIMITED' });
    expect(runs['often']).toBe(2);
  });

  it('limits plain methods by their arguments, and rejects with RateLimitExceededError', async () => {
    await start();
    const mailer = application.get(Mailer);

    expect(await mailer.send('anne', 'one')).toBe('anne one');
    expect(await mailer.send('anne', 'two')).toBe('anne two');
    const error = await mailer.send('anne', 'three').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RateLimitExceededError);
    expect(error).toMatchObject({
      code: 'VALKEY_RATE_LIMITED',
      subject: 'Mailer.send',
      retryAfter: expect.any(Number),
    });
    expect(await mailer.send('ben', 'four')).toBe('ben four');
  });

  it('counts once for a subclass that calls its base', async () => {
    await start();
    const mailer = application.get(LoudMailer);

    expect([await mailer.send('anne', 'one'), await mailer.send('anne', 'two')]).toEqual(['anne ONE', 'anne TWO']);
    expect(await failure(mailer.send('anne', 'three'))).toBe('VALKEY_RATE_LIMITED');
  });

  it('gives functions this and the arguments', async () => {
    await start();
    const mailer = application.get(Mailer);

    expect(await mailer.attach('anne', 1)).toBe('anne 1');
    expect(await failure(mailer.attach('anne', 1))).toBe('VALKEY_RATE_LIMITED');
  });

  it('stands above and below a cache', async () => {
    await start();
    const mailer = application.get(Mailer);

    expect([await mailer.cached('a'), await mailer.cached('a')]).toEqual(['cached a', 'cached a']);
    expect(await failure(mailer.cached('b'))).toBe('VALKEY_RATE_LIMITED');
    expect(await mailer.outside()).toBe('outside');
    expect(await failure(mailer.outside())).toBe('VALKEY_RATE_LIMITED');
  });

  it('asks all of several limits, and gives back what was counted before one refused', async () => {
    await start();
    const mailer = application.get(Mailer);
    const made: unknown[] = [];
    for (const to of ['anne', 'anne', 'anne', 'ben', 'carl', 'dora']) made.push(await failure(mailer.twice(to)));

    const refused = 'VALKEY_RATE_LIMITED';
    expect(made).toEqual(['twice anne', refused, refused, 'twice ben', 'twice carl', refused]);
  });

  it('throws what error makes of a refusal', async () => {
    await start();
    await application.get(Mailer).replaced();

    await expect(application.get(Mailer).replaced()).rejects.toThrow(new TypeError('method'));
  });

  it('fails for a call that is nobody’s, rather than count it with others', async () => {
    await start();

    await expect(application.get(Mailer).nobody()).rejects.toMatchObject({
      code: 'VALKEY_ARGUMENT_INVALID',
      message: expect.stringContaining(
        'Mailer.nobody is by a function, and there is no value, nor an address',
      ) as string,
    });
  });

  it('limits what a factory has made, and not what nobody manages', async () => {
    await start();
    const printer = application.get(Printer);

    expect(await printer.print()).toBe('print');
    expect(await failure(printer.print())).toBe('VALKEY_RATE_LIMITED');
    expect(await new Printer().print()).toBe('print');
  });

  it('[RLM-4] lets plain methods pass too when it is switched off', async () => {
    await start({ enabled: false });
    const mailer = application.get(Mailer);

    expect([await mailer.replaced(), await mailer.replaced()]).toEqual(['replaced', 'replaced']);
  });

  it('finds requests where the module says', async () => {
    await start({ request: (context) => ({ ip: context.getType(), headers: { 'x-key': 'same' } }) });

    expect(await query('keyed', { 'x-key': 'a' })).toEqual({ keyed: 'keyed' });
    expect(await query('keyed', { 'x-key': 'b' })).toContain('is exceeded');
  });
});
