import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { Example } from './pages.js';

/** Where the examples pretend to lie: beside this file, so that packages and the type of modules are found. */
const FOLDER = join(process.cwd(), 'test/unit/docs');

/** What the compiler has against each example, by its place; an example without mistakes has an empty list. */
export function compile(examples: readonly Example[]): ReadonlyMap<string, readonly string[]> {
  const files = new Map(
    examples.map((example, index) => [join(FOLDER, `example-${index}.ts`), { ...example, code: asModule(example) }]),
  );
  const options = compilerOptions();
  const host = ts.createCompilerHost(options, true);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name)?.code ?? readFile(name);
  host.getSourceFile = (name, version, ...more) => {
    const example = files.get(name);
    if (!example) return getSourceFile(name, version, ...more);
    const file = ts.createSourceFile(name, example.code, version, true);
    return Object.assign(file, { impliedNodeFormat: ts.ModuleKind.ESNext });
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return new Map(Array.from(files, ([name, { place }]) => [place, mistakes(program, name)]));
}

/** The project's own options; the package's names stand for its sources. */
function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(
    { ...config, include: [], files: [] },
    ts.sys,
    dirname('tsconfig.json'),
  );
  return {
    ...options,
    noEmit: true,
    paths: {
      'nestjs-valkey': [join(process.cwd(), 'lib/index.ts')],
      'nestjs-valkey/testing': [join(process.cwd(), 'lib/testing/index.ts')],
      'nestjs-valkey/prometheus': [join(process.cwd(), 'lib/prometheus/index.ts')],
      'nestjs-valkey/opentelemetry': [join(process.cwd(), 'lib/opentelemetry/index.ts')],
      'nestjs-valkey/keyv': [join(process.cwd(), 'lib/keyv/index.ts')],
      'nestjs-valkey/msgpack': [join(process.cwd(), 'lib/msgpack/index.ts')],
      'nestjs-valkey/throttler': [join(process.cwd(), 'lib/throttler/index.ts')],
      'nestjs-valkey/terminus': [join(process.cwd(), 'lib/nest/terminus/index.ts')],
    },
  };
}

function asModule({ code }: Example): string {
  return `${code}\nexport {};\n`;
}

function mistakes(program: ts.Program, name: string): readonly string[] {
  const file = program.getSourceFile(name);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
    ({ messageText, start = 0 }) => {
      const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    },
  );
}
