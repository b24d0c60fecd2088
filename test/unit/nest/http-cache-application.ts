import type { DynamicModule, INestApplication, Provider, Type } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { ValkeyModule } from '../../../lib/index.js';

/** What `@HttpCache()` has to do alike on. */
export const FRAMEWORKS = ['Express', 'Fastify'] as const;
export type Framework = (typeof FRAMEWORKS)[number];

export interface Parts {
  readonly controllers: readonly Type[];
  readonly imports?: readonly DynamicModule[];
  readonly providers?: readonly Provider[];
  readonly prepare?: (application: INestApplication) => void;
}

export const embedded = (): DynamicModule => ValkeyModule.forRoot({ mode: 'embedded', logLevel: 'silent' });

const started = new Set<INestApplication>();
const warnings: string[] = [];

/** What applications warned of since the test began. */
export function warned(): readonly string[] {
  return warnings;
}

/** Starts a real application that listens; {@link closeHttp} ends it. */
export async function serve(framework: Framework, parts: Parts): Promise<INestApplication> {
  const { controllers, imports = [embedded()], providers = [], prepare } = parts;
  const module = await Test.createTestingModule({
    imports: [...imports],
    controllers: [...controllers],
    providers: [...providers],
  })
    .setLogger({ log: ignore, error: ignore, warn: (text: unknown) => void warnings.push(String(text)) })
    .compile();
  const application =
    framework === 'Fastify'
      ? module.createNestApplication<NestFastifyApplication>(new FastifyAdapter())
      : module.createNestApplication();
  prepare?.(application);
  await application.listen(0, '127.0.0.1');
  started.add(application);
  return application;
}

export async function closeHttp(): Promise<void> {
  await Promise.all(Array.from(started, (application) => application.close()));
  started.clear();
  warnings.length = 0;
}

export function ask(application: INestApplication): ReturnType<typeof request> {
  return request(application.getHttpServer());
}

function ignore(): void {
  // Expected failures need no lines.
}
