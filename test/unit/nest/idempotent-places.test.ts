import { Controller, Get, Injectable, Post, Redirect, Res } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { Cron } from '@nestjs/schedule';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Idempotent, InjectIdempotency, IdempotencyService, ValkeyModule } from '../../../lib/index.js';
import type { IdempotentOptions } from '../../../lib/index.js';
import { closeApplications, start, startFailure } from './application.js';

const embedded = (options: object = {}) => ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent', ...options });

afterEach(closeApplications);

describe('[L15] where @Idempotent() cannot work the start fails, and says what to use', () => {
  const failure = (parts: { readonly providers?: readonly Type[]; readonly controllers?: readonly Type[] }) =>
    startFailure({ imports: [embedded()], ...parts });

  it('on a plain method, a cron job, a resolver, a gateway', async () => {
    @Injectable()
    class Plain {
      @Idempotent()
      work(): void {
        // Nobody calls it.
      }
    }
    @Injectable()
    class Job {
      @Cron('0 0 1 1 *')
      @Idempotent()
      nightly(): void {
        // Nobody calls it.
      }
    }
    @Resolver()
    class Orders {
      @Query(() => String)
      @Idempotent()
      order(): string {
        return '';
      }
    }
    @WebSocketGateway()
    class Gateway {
      @SubscribeMessage('order')
      @Idempotent()
      order(): void {
        // Nobody calls it.
      }
    }
    const { message } = await failure({ providers: [Plain, Job, Orders, Gateway] });

    expect(message).toContain('Plain.work is no HTTP route: ');
    expect(message).toContain('Job.nightly is no HTTP route: ');
    expect(message).toContain('Orders.order is no HTTP route (it is called by GraphQL): ');
    expect(message).toContain('Gateway.order is no HTTP route (it is called by WebSocket messages): ');
    expect(message.match(/IdempotencyService and call run\(/g)).toHaveLength(4);
  });

  it('on a message handler of a controller, also by its class', async () => {
    @Controller()
    @Idempotent()
    class Orders {
      @MessagePattern('order')
      order(): void {
        // Nobody calls it.
      }
    }
    expect((await failure({ controllers: [Orders] })).message).toContain(
      'Orders.order is no HTTP route (it is called by messages)',
    );
  });

  it('on a route that writes its response itself, or is of another method', async () => {
    @Controller()
    class Orders {
      @Post('own')
      @Idempotent()
      own(@Res() _response: unknown): void {
        // Nobody calls it.
      }

      @Post('elsewhere')
      @Redirect('/')
      @Idempotent()
      elsewhere(): void {
        // Nobody calls it.
      }

      @Get()
      @Idempotent()
      list(): void {
        // Nobody calls it.
      }
    }
    const { message } = await failure({ controllers: [Orders] });

    expect(message).toContain('Orders.own writes its response by itself');
    expect(message).toContain('Orders.elsewhere writes its response by itself');
    expect(message).toContain('Orders.list is a GET route, and methods has POST, PATCH');
  });

  it('on a class that is no controller', async () => {
    @Injectable()
    @Idempotent()
    class Service {}
    expect((await failure({ providers: [Service] })).message).toContain('Service is no controller');
  });

  it('but on a class GET routes pass by', async () => {
    @Controller()
    @Idempotent({ methods: ['POST', 'PUT'] })
    class Orders {
      @Get()
      list(): void {
        // Nobody calls it.
      }
    }
    await start({ imports: [embedded()], controllers: [Orders] });
  });
});

describe('the options of @Idempotent()', () => {
  const define = (options: object) => () => {
    class Orders {
      create(): void {
        // Nobody calls it.
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, 'create') as PropertyDescriptor;
    Idempotent(options as IdempotentOptions)(Orders.prototype, 'create', descriptor);
  };

  it.each([
    ['ttl', '1x'],
    ['lease', '50ms'],
    ['maxBytes', -1],
    ['onStoreDown', 'open'],
    ['scope', 'user'],
    ['header', 'Idempotency Key'],
    ['required', 'yes'],
    ['methods', ['GET']],
    ['methods', []],
    ['headers', ['Set-Cookie']],
    ['store', true],
    ['toPlain', {}],
    ['fingerprint', 'body'],
    ['client', ''],
    ['retries', 3],
  ])('are refused when the class is defined: %s', (name, value) => {
    expect(define({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'VALKEY_CONFIGURATION_INVALID',
        message: expect.stringMatching(new RegExp(`@Idempotent\\(\\) on Orders.create is wrong:\\n- ${name} is`)),
      }) as Error,
    );
  });

  it('are all named at once', () => {
    expect(define({ ttl: 'x', lease: 'y' })).toThrow(/- ttl[^]*- lease/);
  });

  it('need no annotation of the request', () => {
    Idempotent({ ttl: '24h', scope: (request) => request.user.id });
    Idempotent({ scope: (request: { readonly tenant: string }) => request.tenant });
    // @ts-expect-error A scope is text or a number.
    Idempotent({ scope: (request) => request.user });
    const methods: IdempotentOptions['methods'] = ['PUT'];
    // @ts-expect-error GET is idempotent by itself.
    const none: IdempotentOptions['methods'] = ['GET'];
    expect([methods, none]).toHaveLength(2);
  });
});

describe('the module', () => {
  it('refuses wrong options of idempotency at the start', async () => {
    const { message } = await startFailure({ imports: [embedded({ idempotency: { ttl: '1ms', retry: 1 } })] });
    expect(message).toContain('idempotency.ttl is "1ms"');
    expect(message).toContain('idempotency.retry is not an option');
  });

  it('provides a service for each client', async () => {
    @Injectable()
    class Users {
      constructor(
        @InjectIdempotency() readonly first: IdempotencyService,
        @InjectIdempotency('other') readonly second: IdempotencyService,
      ) {}
    }
    const application = await start({ imports: [embedded(), embedded({ name: 'other' })], providers: [Users] });
    const { first, second } = application.get(Users);

    expect(await first.run('a', 1, () => 'first')).toBe('first');
    expect(await second.run('a', 1, () => 'second')).toBe('second');
    expect(await first.run('a', 1, () => 'third')).toBe('first');
  });
});
