import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { dirname, join } from 'node:path';

import { type Ran, buildPackage, copyProject, run, scratchFolder } from './workbench.js';

// Compilers and linters on a machine that may be busy.
import.meta.jest.setTimeout(120_000);

/** A copy of the project in which every check finds what it is there to find. */
const copy = scratchFolder('checks');

beforeAll(() => copyProject(copy.path));

afterAll(() => copy.remove());

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(copy.path, path)), { recursive: true });
    writeFileSync(join(copy.path, path), `${text}\n`);
  }
}

function check(script: string): Promise<Ran> {
  return run(copy.path, 'npm', 'run', '--silent', `check:${script}`);
}

describe('check:layers', () => {
  /** Each file breaks the rule it stands beside. */
  const BROKEN: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['layer-core', 'lib/core/bad-value.ts', "import '../client/cache-client.js';"],
    [
      'layer-core',
      'lib/core/bad-type.ts',
      "import type { CacheClient } from '../client/cache-client.js';\nexport type A = CacheClient;",
    ],
    ['layer-core', 'lib/core/bad-export.ts', "export type { CacheClient } from '../client/cache-client.js';"],
    ['layer-core', 'lib/core/bad-inline.ts', "export type A = import('../client/cache-client.js').CacheClient;"],
    ['layer-core', 'lib/core/bad-dynamic.ts', "export const a = () => import('../client/cache-client.js');"],
    [
      'layer-options',
      'lib/options/bad.ts',
      "import type { Driver } from '../driver/driver.js';\nexport type A = Driver;",
    ],
    ['layer-driver', 'lib/driver/bad.ts', "import type { Scope } from '../client/scope.js';\nexport type A = Scope;"],
    [
      'layer-resilience',
      'lib/resilience/bad.ts',
      "import type { Scope } from '../client/scope.js';\nexport type A = Scope;",
    ],
    [
      'layer-client',
      'lib/client/bad.ts',
      "import { CACHE_CLIENT } from '../nest/tokens.js';\nexport const a = CACHE_CLIENT;",
    ],
    ['layer-nest', 'lib/nest/bad.ts', "import * as front from '../index.js';\nexport const a = front;"],
    ['known-layers', 'lib/drawer/bad.ts', "import '../core/errors.js';"],
    ['no-cycles', 'lib/core/bad-cycle-too.ts', "import { a } from './bad-cycle.js';\nexport const b = () => a;"],
    ['no-cycles', 'lib/core/bad-circle-too.ts', "import type { A } from './bad-circle.js';\nexport type B = A | 2;"],
    [
      'nest-in-nest',
      'lib/client/bad-nest.ts',
      "import { Injectable } from '@nestjs/common';\nexport const a = Injectable;",
    ],
    [
      'nest-in-nest',
      'lib/driver/bad-rxjs.ts',
      "import type { Observable } from 'rxjs';\nexport type A = Observable<1>;",
    ],
    ['nest-in-nest', 'lib/resilience/bad-metadata.ts', "import 'reflect-metadata';"],
    [
      'iovalkey-in-its-driver',
      'lib/client/bad-iovalkey.ts',
      "import { Redis } from 'iovalkey';\nexport const a = Redis;",
    ],
    [
      'iovalkey-in-its-driver',
      'lib/driver/bad-iovalkey.ts',
      "import type { Redis } from 'iovalkey';\nexport type A = Redis;",
    ],
    [
      'cockatiel-in-resilience',
      'lib/nest/bad-cockatiel.ts',
      "import { retry } from 'cockatiel';\nexport const a = retry;",
    ],
    ['zod-in-options', 'lib/client/bad-zod.ts', "import { z } from 'zod';\nexport const a = z;"],
    [
      'drivers-are-strangers',
      'lib/driver/valkey/bad.ts',
      "import type { EmbeddedDriver } from '../embedded/embedded-driver.js';\nexport type A = EmbeddedDriver;",
    ],
    [
      'drivers-are-strangers',
      'lib/driver/embedded/bad.ts',
      "import { ValkeyDriver } from '../valkey/valkey-driver.js';\nexport const a = ValkeyDriver;",
    ],
    ['no-dev-dependencies', 'lib/core/bad-dev.ts', "import { test } from 'fast-check';\nexport const a = test;"],
    [
      'no-dev-dependencies',
      'lib/core/bad-dev-type.ts',
      "import type { Arbitrary } from 'fast-check';\nexport type A = Arbitrary<1>;",
    ],
    ['resolvable', 'lib/core/bad-path.ts', "import './nowhere.js';"],
    ['resolvable', 'lib/core/bad-package.ts', "import 'no-such-package-at-all';"],
    ['no-orphans', 'lib/core/bad-orphan.ts', 'export const a = 1;'],
    [
      'public-only',
      'sample/bad-inside.ts',
      "import { CACHE_CLIENT } from '../lib/nest/tokens.js';\nexport const a = CACHE_CLIENT;",
    ],
  ];
  /** The other halves of the cycles: a cycle is told once. */
  const HALVES = {
    'lib/core/bad-cycle.ts': "import { b } from './bad-cycle-too.js';\nexport const a = () => b;",
    'lib/core/bad-circle.ts': "import type { B } from './bad-circle-too.js';\nexport type A = B | 1;",
  };
  /** What is allowed, in the same places. */
  const FINE = {
    'lib/driver/valkey/fine.ts':
      "import type { Driver } from '../driver.js';\nimport { Redis } from 'iovalkey';\nexport const a = [Redis, 1 as unknown as Driver];",
    'lib/nest/fine.ts':
      "import { Injectable } from '@nestjs/common';\nimport type { CacheClient } from '../client/cache-client.js';\nexport const a = [Injectable, 1 as unknown as CacheClient];",
    'lib/resilience/fine.ts': "import { retry } from 'cockatiel';\nexport const a = retry;",
  };
  let result: Ran;

  beforeAll(async () => {
    write({ ...FINE, ...HALVES, ...Object.fromEntries(BROKEN.map(([, path, text]) => [path, text])) });
    result = await check('layers');
  });

  it('fails', () => {
    expect(result.code).not.toBe(0);
  });

  it.each(BROKEN)('%s finds %s', (rule, path) => {
    const finds = new RegExp(`error ${rule}: ${path.replaceAll('.', '\\.')}`);

    expect(result.output).toMatch(finds);
  });

  it.each(Object.keys(FINE))('has nothing against %s', (path) => {
    expect(result.output).not.toContain(path);
  });
});

describe('check:lint', () => {
  const BROKEN: readonly (readonly [rule: string, path: string, text: string])[] = [
    ['no-explicit-any', 'lib/core/lint-any.ts', 'export function loose(value: any): unknown {\n  return value;\n}'],
    ['no-floating-promises', 'lib/core/lint-floating.ts', 'export function forget(): void {\n  Promise.resolve(1);\n}'],
    ['no-console', 'lib/core/lint-console.ts', "console.log('hello');"],
    ['eqeqeq', 'lib/core/lint-equal.ts', 'export const isSame = (a: number, b: number): boolean => a == b;'],
  ];
  const FINE = 'lib/core/lint-fine.ts';
  let result: Ran;

  beforeAll(async () => {
    write({
      [FINE]: 'export const isSame = (a: number, b: number): boolean => a === b;',
      ...Object.fromEntries(BROKEN.map(([, path, text]) => [path, text])),
    });
    result = await check('lint');
  });

  it('fails', () => {
    expect(result.code).not.toBe(0);
  });

  it.each(BROKEN)('%s finds %s', (rule, path) => {
    const finding = result.output.split('\n\n').find((part) => part.includes(path) && part.includes(rule));

    expect(finding).toBeDefined();
  });

  it('has nothing against a clean file', () => {
    expect(result.output).not.toContain(FINE);
  });
});

describe('check:format', () => {
  it('fails and names the file that is not formatted, and only that', async () => {
    write({ 'lib/core/format-bad.ts': 'export const a = "1"', 'lib/core/format-fine.ts': "export const a = '1';" });

    const { code, output } = await check('format');

    expect(code).not.toBe(0);
    expect(output).toContain('lib/core/format-bad.ts');
    expect(output).not.toContain('format-fine');
  });
});

describe('check:types', () => {
  it('fails and names the file and the line', async () => {
    write({
      'lib/core/types-bad.ts': 'export const a: number = 1;\nexport const b: number = [1][0];',
      'lib/core/types-fine.ts': 'export const a: number | undefined = [1][0];',
    });

    const { code, output } = await check('types');

    expect(code).not.toBe(0);
    expect(output).toContain('lib/core/types-bad.ts(2,14)');
    expect(output).not.toContain('types-fine');
  });
});

describe('check:api', () => {
  const CHECK = 'docs/api/check.mjs';
  const REPORT = 'docs/api/nestjs-valkey.api.md';
  const front = join(copy.path, 'dist/lib/index.d.ts');
  const manifest = join(copy.path, 'package.json');
  /** `any` as a word, not as a type. */
  const WORD = "export declare function choose(any: 'any'): { any?: string; any(): void };";
  let intact: string;

  /** The check without the build before it. */
  function compare(...args: readonly string[]): Promise<Ran> {
    return run(copy.path, process.execPath, CHECK, ...args);
  }

  beforeAll(async () => {
    cpSync(join(await buildPackage(), 'dist'), join(copy.path, 'dist'), { recursive: true });
    intact = `${readFileSync(front, 'utf8')}${WORD}\n`;
    writeFileSync(front, intact);
    await compare('--update');
  });

  afterEach(() => writeFileSync(front, intact));

  it('is what the script runs, after a build', () => {
    const { scripts } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      scripts: Record<string, string>;
    };

    expect(scripts['check:api']).toBe(`npm run build && node ${CHECK}`);
  });

  it('has nothing against the API its report tells, nor against the word any', async () => {
    const { output } = await compare();

    expect(output).not.toContain(REPORT);
    expect(output).not.toContain('nestjs-valkey says "any"');
  });

  it('fails for a change without a report and for any in it, and names the report and the lines', async () => {
    const loose = [
      'export declare function parameter(value: any): void;',
      'export declare function result(): any;',
      'export declare const callback: () => any;',
      'export type Alias = any;',
      'export type Promised = Promise<any>;',
      'export type Member = string | any[];',
      'export type Rest = readonly any[];',
    ];
    writeFileSync(front, `${intact}${loose.join('\n')}\n`);

    const { code, output } = await compare();
    const found = output.split('\n').filter((line) => /^export .*\bany\b/.test(line));

    expect(code).not.toBe(0);
    expect(output).toContain(`differs from ${REPORT}`);
    expect(found.toSorted()).toEqual(loose.map((line) => line.replace('declare ', '')).toSorted());
  });

  it('fails when an entry point of package.json is not there', async () => {
    const before = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, JSON.stringify({ name: 'x', exports: { '.': { types: './dist/lib/missing.d.ts' } } }));
    const { code, output } = await compare();
    writeFileSync(manifest, before);

    expect(code).not.toBe(0);
    expect(output).toContain('package.json exports ./dist/lib/missing.d.ts');
  });
});
