import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type Ran, buildPackage, ROOT, run, scratchFolder, tool } from './workbench.js';

/** The application of somebody who installed the tarball, and nothing that the package only may use. */
const consumer = scratchFolder('consumer');
let tarball: string;

/** What its `npm install` would have brought. */
const INSTALLED = [
  ...Object.keys(manifest().dependencies),
  '@nestjs/common',
  '@nestjs/core',
  'reflect-metadata',
  'rxjs',
  'typescript',
  '@types/node',
];

beforeAll(async () => {
  const built = await buildPackage();
  // A copy, because npm writes beside what it packs.
  const packed = join(consumer.path, 'packed');
  cpSync(built, packed, { recursive: true });
  const { output } = await run(packed, 'npm', 'pack', '--silent', '--offline');
  tarball = join(packed, output.trim().split('\n').at(-1) ?? '');
  const home = join(consumer.path, 'node_modules', 'nestjs-valkey');
  mkdirSync(home, { recursive: true });
  const { code } = await run(consumer.path, 'tar', '-xzf', tarball, '-C', home, '--strip-components=1');
  expect(code).toBe(0);
  for (const name of INSTALLED) link(name);
}, 120_000);

afterAll(() => consumer.remove());

function manifest(): { readonly dependencies: Readonly<Record<string, string>>; readonly exports: object } {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as ReturnType<typeof manifest>;
}

function link(name: string): void {
  const path = join(consumer.path, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules', name), path);
}

/** Compiles one file as a strict ESM application does. */
function compile(name: string, text: string): Promise<Ran> {
  writeFileSync(join(consumer.path, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }));
  writeFileSync(join(consumer.path, `${name}.ts`), text);
  const flags =
    '--strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck --experimentalDecorators';
  const module = '--emitDecoratorMetadata --module nodenext --target es2023 --types node --ignoreConfig';
  return run(consumer.path, tool('tsc'), ...flags.split(' '), ...module.split(' '), `${name}.ts`);
}

const APPLICATION = `
import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CACHE_CLIENT, CacheClient, createClient, InjectClient, resolveSettings, ValkeyModule } from 'nestjs-valkey';
import type { ValkeyModuleAsyncOptions, ValkeyOptions } from 'nestjs-valkey';

@Injectable()
class Config {
  readonly options: ValkeyOptions = { mode: 'embedded' };
}

@Module({ providers: [Config], exports: [Config] })
class ConfigModule {}

@Injectable()
class Greeter {
  constructor(
    @Inject(CACHE_CLIENT) private readonly client: CacheClient,
    @InjectClient('sessions') private readonly sessions: CacheClient,
  ) {}

  async greet(): Promise<string> {
    const [stored, name, visits] = await this.client.pipeline((p) => [p.set('a', '1', { ttl: '1m' }), p.get('b'), p.incr('c')]);
    const exact: [stored: 'OK' | null, name: string | null, visits: number | bigint] = [stored, name, visits];
    await this.sessions.setJson('user', { name: 'Ada' });
    const user = await this.sessions.getJson<{ name: string }>('user');
    return JSON.stringify([...exact, user?.name]);
  }
}

const options: ValkeyModuleAsyncOptions = {
  imports: [ConfigModule],
  inject: [Config],
  useFactory: (config: Config) => config.options,
};

@Module({
  imports: [ValkeyModule.forRootAsync(options), ValkeyModule.forRoot({ name: 'sessions', mode: 'embedded' })],
  providers: [Greeter],
})
class AppModule {}

const application = await NestFactory.createApplicationContext(AppModule, { logger: false });
console.log(await application.get(Greeter).greet());
await application.close();

const client = createClient(resolveSettings({ mode: 'embedded' }).settings);
await client.connect();
console.log(await client.set('key', 'value'));
await client.close();
`;

it('[PKG-2] compiles in the application of its user, and runs there without the packages it only may use', async () => {
  const compiled = await compile('application', APPLICATION);
  const ran = await run(consumer.path, process.execPath, 'application.js');

  expect(compiled).toEqual({ code: 0, output: '' });
  expect(ran).toEqual({ code: 0, output: '["OK",null,1,"Ada"]\nOK\n' });
}, 120_000);

/** Each stands for a mistake the compiler has to see. */
const ILLEGAL: Readonly<Record<string, string>> = {
  'host beside uri': "{ uri: 'valkey://a', host: 'b' }",
  'nodes without mode: cluster': "{ nodes: 'a:6379' }",
  'host in a cluster': "{ mode: 'cluster', nodes: 'a:6379', host: 'b' }",
  'another database than 0 in a cluster': "{ mode: 'cluster', nodes: 'a:6379', db: 1 }",
  'sentinel without its name': "{ mode: 'sentinel', sentinel: { nodes: 'a' } }",
  'TLS in process': "{ mode: 'embedded', tls: true }",
  'the bounds of the store in process for a server': "{ host: 'a', embedded: { maxEntries: 1 } }",
  'a certificate without its key': "{ host: 'a', tls: { certFile: 'a.pem' } }",
  'two authorities': "{ host: 'a', tls: { caFile: 'a.pem', caBase64: 'AAAA' } }",
  'an unknown mode': "{ mode: 'clustre' }",
  'an unknown option': "{ hots: 'a' }",
  'a user without a password': "{ host: 'a', credentials: { username: 'app' } }",
  'a retry that is true': "{ host: 'a', resilience: { retry: true } }",
};

it('[CFG-5] refuses to compile option combinations that are illegal', async () => {
  const cases = Object.entries(ILLEGAL).map(
    ([what, options]) =>
      `// @ts-expect-error ${what}\nexport const _${what.replaceAll(/\W/g, '_')}: ValkeyOptions = ${options};`,
  );
  const forRoot = [
    '// @ts-expect-error the same through the module',
    "ValkeyModule.forRoot({ uri: 'valkey://a', host: 'b' });",
    '// @ts-expect-error a name the module has to know before the factory runs',
    "ValkeyModule.forRootAsync({ useFactory: () => ({ host: 'a', port: '6379' }) });",
  ];
  const head = "import { ValkeyModule } from 'nestjs-valkey';\nimport type { ValkeyOptions } from 'nestjs-valkey';";

  expect(await compile('illegal', [head, ...cases, ...forRoot].join('\n'))).toEqual({ code: 0, output: '' });
}, 120_000);

it('[PKG-2] holds what is exported, and neither sources nor the sample', async () => {
  const { output } = await run(consumer.path, 'tar', '-tzf', tarball);
  const folders = new Set(
    output
      .trim()
      .split('\n')
      .map((path) => path.split('/').slice(1, 3).join('/')),
  );

  expect(output).toContain('package/dist/lib/index.js');
  expect(
    Array.from(folders).filter(
      (path) => !/^(dist\/lib|docs\/.*|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path),
    ),
  ).toEqual([]);
});

it('[PKG-2] runs no script when it is installed', () => {
  const path = join(consumer.path, 'node_modules', 'nestjs-valkey', 'package.json');
  const { scripts } = JSON.parse(readFileSync(path, 'utf8')) as { scripts: Readonly<Record<string, string>> };

  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
});

it('[PKG-2] has types that resolve for its users', async () => {
  const { code, output } = await run(consumer.path, tool('attw'), tarball, '--profile', 'esm-only', '--no-color');

  const resolved = output.match(/node16 \(from ESM\): 🟢/g) ?? [];
  const entryPoints = Object.keys(manifest().exports);

  expect({ code, resolved: resolved.length }).toEqual({ code: 0, resolved: entryPoints.length });
}, 120_000);

it('[PKG-2] has a manifest that publint finds nothing wrong with', async () => {
  const { code, output } = await run(dirname(tarball), tool('publint'), '--strict');

  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('All good') });
}, 120_000);
