import type { INestApplication } from '@nestjs/common';
import { parseList } from 'structured-headers';
import { closeHttp, serve } from './http-cache-application.js';
import type { Framework, Parts } from './http-cache-application.js';

export { ask, closeHttp, FRAMEWORKS, serve } from './http-cache-application.js';
export type { Framework } from './http-cache-application.js';

/** A response as tests of limits look at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** One request over a connection of its own, with all headers as they came. */
export async function get(
  application: INestApplication,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${await application.getUrl()}${path}`, { headers });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Statuses of so many requests, one after the other. */
export async function statuses(
  application: INestApplication,
  path: string,
  count: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly number[]> {
  const found: number[] = [];
  for (let made = 0; made < count; made += 1) found.push((await get(application, path, headers)).status);
  return found;
}

/** A header that is a structured list: name and parameters of each item. */
export function listIn({ headers }: Answer, name: string): readonly (readonly [string, Record<string, unknown>])[] {
  const value = headers.get(name);
  if (value === null) return [];
  return parseList(value).map(([item, parameters]) => [String(item), Object.fromEntries(parameters)]);
}

/** Runs `work` with an application of its own. */
export async function withServed<T>(
  framework: Framework,
  parts: Parts,
  work: (application: INestApplication) => Promise<T>,
): Promise<T> {
  const application = await serve(framework, parts);
  try {
    return await work(application);
  } finally {
    await closeHttp();
  }
}
