import type { DynamicModule, INestApplication, LoggerService, Provider, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';

/** One line of the log. */
export interface LogLine {
  readonly level: 'log' | 'warn' | 'error' | 'debug';
  readonly context: string;
  readonly text: string;
}

/** What a test application is made of. */
export interface ApplicationParts {
  readonly imports: readonly (DynamicModule | Type)[];
  readonly providers?: readonly Provider[];
  readonly controllers?: readonly Type[];
  /** The variables of the process while it starts; of the machine's own none of ours is seen. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
}

const OURS = /^(VALKEY|CACHE|REDIS|RATE_LIMIT|AGGRESSIVE|RELAXED)_|^NODE_ENV$/;
const started = new Set<INestApplication>();
let lines: LogLine[] = [];

/** What applications logged since the test began, Nest's own lines left out. */
export function moduleLog(): readonly LogLine[] {
  return lines.filter(({ context }) => context === 'ValkeyModule');
}

/** Starts a real Nest application; {@link closeApplications} ends it. */
export async function start(parts: ApplicationParts): Promise<INestApplication> {
  const application = await withEnvironment(parts.environment ?? {}, async () => {
    const { imports, providers = [], controllers = [] } = parts;
    const definition = { imports: [...imports], providers: [...providers], controllers: [...controllers] };
    const module = await Test.createTestingModule(definition).setLogger(recorder).compile();
    const created = module.createNestApplication();
    await created.init();
    return created;
  });
  started.add(application);
  return application;
}

/** The error a start has to end with. */
export async function startFailure(parts: ApplicationParts): Promise<Error> {
  try {
    await start(parts);
  } catch (error) {
    return error as Error;
  }
  throw new Error('The start should have failed.');
}

/** Ends what {@link start} started and forgets the log. */
export async function closeApplications(): Promise<void> {
  await Promise.all(Array.from(started, (application) => application.close()));
  started.clear();
  lines = [];
}

async function withEnvironment<T>(variables: Readonly<Record<string, string>>, run: () => Promise<T>): Promise<T> {
  const before = Object.entries(process.env).filter(([name]) => OURS.test(name));
  for (const [name] of before) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    return await run();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, Object.fromEntries(before));
  }
}

function record(level: LogLine['level']): (text: unknown, ...more: unknown[]) => void {
  return (text, ...more) => void lines.push({ level, context: String(more.at(-1)), text: String(text) });
}

const recorder: LoggerService = {
  log: record('log'),
  warn: record('warn'),
  error: record('error'),
  debug: record('debug'),
};
