import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Controller, Get, HttpCode, Injectable, NotFoundException, Param, Scope, SetMetadata } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import request from 'supertest';
import { Resilient, ResiliencePolicy, resilienceSignal } from '../../../lib/index.js';
import type { ResilientOptions } from '../../../lib/index.js';
import { until } from '../../support/index.js';
import { failing } from '../resilience/attempts.js';
import type { Attempts } from '../resilience/attempts.js';
import { closeApplications, start } from './application.js';

const retry = { attempts: 2, backoff: 'none' } as const;

afterEach(closeApplications);

describe('[RES-8] @Resilient() on a class made with new', () => {
  it('repeats the method with its arguments and its this', async () => {
    class Catalogue {
      readonly seen: unknown[] = [];

      @Resilient({ retry })
      async price(sku: string, count: number): Promise<number> {
        this.seen.push([sku, count]);
        if (this.seen.length < 3) throw new Error('not yet');
        return count;
      }
    }
    const catalogue = new Catalogue();

    await expect(catalogue.price('a', 2)).resolves.toBe(2);
    expect(catalogue.seen).toEqual([
      ['a', 2],
      ['a', 2],
      ['a', 2],
    ]);
    expect([catalogue.price.name, catalogue.price.length]).toEqual(['price', 2]);
  });

  it('hands error, arguments and this to the fallback', async () => {
    class Catalogue {
      private readonly usual = 7;

      @Resilient({
        timeout: 5,
        fallback(this: Catalogue, error, sku: string) {
          return [this.usual, sku, (error as { code: string }).code];
        },
      })
      async price(_sku: string): Promise<unknown[]> {
        return new Promise(() => undefined);
      }
    }
    await expect(new Catalogue().price('a')).resolves.toEqual([7, 'a', 'VALKEY_DEADLINE_EXCEEDED']);
  });

  it('has one circuit for all instances of a class, and another for each subclass', async () => {
    class Base {
      @Resilient({ breaker: { failures: 1, halfOpenAfter: '1h' } })
      async load(error?: Error): Promise<string> {
        if (error) throw error;
        return this.constructor.name;
      }
    }
    class Orders extends Base {}
    class Users extends Base {}
    await expect(new Orders().load(new Error('away'))).rejects.toThrow('away');

    await expect(new Orders().load()).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN', subject: 'Orders.load' });
    await expect(new Users().load()).resolves.toBe('Users');
    await expect(new Base().load()).resolves.toBe('Base');
  });

  it('works on static methods, and under a name of its own', async () => {
    class Catalogue {
      @Resilient({ name: 'prices', timeout: 5 })
      static async price(): Promise<never> {
        return new Promise(() => undefined);
      }
    }
    await expect(Catalogue.price()).rejects.toMatchObject({ subject: 'prices' });
  });

  it('shares a policy with other methods', async () => {
    const policy = new ResiliencePolicy('upstream', { breaker: { failures: 1, halfOpenAfter: '1h' } });
    class Catalogue {
      @Resilient({ policy })
      async price(): Promise<never> {
        throw new Error('away');
      }

      @Resilient({ policy, fallback: () => 'the usual' })
      async name(): Promise<string> {
        return 'asked';
      }
    }
    const catalogue = new Catalogue();
    await expect(catalogue.name()).resolves.toBe('asked');
    await expect(catalogue.price()).rejects.toThrow('away');

    expect(policy.state).toBe('open');
    await expect(catalogue.name()).resolves.toBe('the usual');
  });
});

describe('[RES-8] @Resilient()', () => {
  const policy = new ResiliencePolicy('upstream', {});
  it.each([
    ['a policy', { timeout: '1s', policy: undefined }],
    ['a figure beside a policy', { policy, timeout: undefined }],
  ])('takes %s that is undefined for not written', async (_what, options) => {
    class Catalogue {
      @Resilient(options as ResilientOptions<() => never>)
      async price(): Promise<number> {
        return 5;
      }
    }
    await expect(new Catalogue().price()).resolves.toBe(5);
  });
});

describe('[RES-8] @Resilient() refuses, when the class is defined,', () => {
  const shared = new ResiliencePolicy('shared', { timeout: 5 });

  it.each<[string, object, string]>([
    ['a wrong figure', { timeout: -1 }, 'The resilience options of Catalogue.price are wrong:\n- timeout is -1:'],
    ['an unknown name', { fallbak: 1 }, "- fallbak is not an option. Did you mean 'fallback'?"],
    ['an empty name', { name: '', timeout: 1 }, '- name is "": it must be a name'],
    ['a fallback that is none', { timeout: 1, fallback: 5 }, 'The fallback of Catalogue.price must be a function'],
    ['a policy that is none', { policy: {} }, 'The policy of Catalogue.price must be a ResiliencePolicy'],
    ['figures beside a policy', { policy: shared, timeout: 1 }, 'Catalogue.price has a policy, and timeout beside it.'],
    ['no options', undefined as never, '- options is undefined: it must be an object with'],
  ])('%s', (_what, options, text) => {
    class Catalogue {}
    const descriptor = { value: async () => 1 };
    const decorate = (): void =>
      Resilient(options as ResilientOptions<() => never>)(Catalogue.prototype, 'price', descriptor as never);
    expect(decorate).toThrow(expect.objectContaining({ code: 'VALKEY_CONFIGURATION_INVALID' }) as Error);
    expect(decorate).toThrow(text);
  });

  it('what is no method', () => {
    class Catalogue {}
    const decorate = (): void => Resilient({ timeout: 1 })(Catalogue.prototype, 'price', {});
    expect(decorate).toThrow('@Resilient() stands on Catalogue.price, which is no method.');
  });
});

describe('[RES-8] @Resilient() in an application', () => {
  let tries: Attempts;

  @Controller('prices')
  class Prices {
    @Get('above/:sku')
    @HttpCode(203)
    @Resilient({ retry })
    async above(@Param('sku') sku: string): Promise<string> {
      return sku + (await tries());
    }

    @Resilient({ retry })
    @SetMetadata('mark', 'kept')
    @Get('below/:sku')
    @HttpCode(203)
    async below(@Param('sku') sku: string): Promise<string> {
      return sku + (await tries());
    }

    @Get('missing')
    @Resilient({ retry })
    async missing(): Promise<string> {
      await tries().catch(() => undefined);
      throw new NotFoundException('no such price');
    }
  }

  it.each(['above', 'below'])('repeats a handler of a controller, with the routes %s', async (route) => {
    const application = await start({ imports: [], controllers: [Prices] });
    tries = failing(2);

    const { status, text } = await request(application.getHttpServer()).get(`/prices/${route}/a-`);
    expect([status, text, tries.calls]).toEqual([203, 'a-worked', 3]);
  });

  it('keeps what other decorators have written on the method', () => {
    expect(Reflect.getMetadata('mark', Prices.prototype.below)).toBe('kept');
  });

  it('does not repeat a handler that answers with a status below 500', async () => {
    const application = await start({ imports: [], controllers: [Prices] });
    tries = failing(0);

    await request(application.getHttpServer()).get('/prices/missing').expect(404);
    expect(tries.calls).toBe(1);
  });

  it('has one circuit for all instances of a provider of request scope', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @Resilient({ breaker: { failures: 1, halfOpenAfter: '1h' } })
      async load(error?: Error): Promise<string> {
        if (error) throw error;
        return 'worked';
      }
    }
    const application = await start({ imports: [], providers: [PerRequest] });
    const [first, second] = [
      await application.get(ModuleRef).resolve(PerRequest),
      await application.resolve(PerRequest),
    ];
    expect(first).not.toBe(second);
    await expect(first.load(new Error('away'))).rejects.toThrow('away');

    await expect(second.load()).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });
  });
});

describe('[RES-8] @Resilient() in front of a listener', () => {
  let listener: Server;
  let behave: (socket: Socket) => void;
  let connections: Socket[];

  beforeEach(async () => {
    connections = [];
    listener = createServer((socket) => {
      connections.push(socket);
      socket.on('error', () => undefined);
      behave(socket);
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => listener.close(resolve));
  });

  class Upstream {
    @Resilient({
      timeout: '5s',
      retry: { attempts: 5, backoff: 'fixed', min: 1, max: 1 },
      breaker: { failures: 4, halfOpenAfter: '1h' },
    })
    async ask(port: number): Promise<string> {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: resilienceSignal() });
      return response.text();
    }

    @Resilient({ timeout: '500ms' })
    async wait(port: number): Promise<string> {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: resilienceSignal() });
      return response.text();
    }
  }

  it('that drops connections: the caller gets the result of a later attempt, then the circuit opens', async () => {
    const { port } = listener.address() as AddressInfo;
    behave = (socket) =>
      connections.length < 3
        ? socket.resetAndDestroy()
        : socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nworked');
    await expect(new Upstream().ask(port)).resolves.toBe('worked');
    expect(connections).toHaveLength(3);

    behave = (socket) => socket.resetAndDestroy();
    await expect(new Upstream().ask(port)).rejects.toThrow('fetch failed');
    expect(connections).toHaveLength(7);
    await expect(new Upstream().ask(port)).rejects.toMatchObject({ code: 'VALKEY_CIRCUIT_OPEN' });
    expect(connections).toHaveLength(7);
  });

  it('that is silent: the deadline ends the wait, and the signal the connection', async () => {
    const { port } = listener.address() as AddressInfo;
    let closed = false;
    behave = (socket) => socket.on('close', () => (closed = true));
    await expect(new Upstream().wait(port)).rejects.toMatchObject({ code: 'VALKEY_DEADLINE_EXCEEDED' });

    expect(connections).toHaveLength(1);
    await until(() => closed, { what: 'the connection is closed' });
  });
});
