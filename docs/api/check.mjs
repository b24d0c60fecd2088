/**
 * Compares the public API with its reports beside this file, and refuses `any` in it. `--update` writes the reports
 * anew: do that when a change of the API is meant, and read the difference.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const update = process.argv.includes('--update');

const ENTRY_POINTS = { 'nestjs-valkey': 'dist/lib/index.d.ts', 'nestjs-valkey-testing': 'dist/lib/testing/index.d.ts' };

function extract(name, entryPoint, temp) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: join(root, 'api-extractor.json'),
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, entryPoint),
      compiler: { tsconfigFilePath: join(root, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        includeForgottenExports: true,
        reportFolder: temp,
        reportTempFolder: temp,
        reportFileName: `${name}.api.md`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: {
          default: { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'none', addToApiReportFile: true },
        },
        compilerMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
  Extractor.invoke(config, { localBuild: true, showVerboseMessages: false, messageCallback: silence });
  return readFileSync(join(temp, `${name}.api.md`), 'utf8');
}

function silence(message) {
  message.handled = true;
}

/** Lines of the report that say `any` as a type; comments may use the word. */
function anyLines(report) {
  return report
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('//') && /[:<|&(,]\s*any\b|\bany\[\]/.test(line));
}

let failed = false;
const temp = mkdtempSync(join(tmpdir(), 'api-report-'));
try {
  for (const [name, entryPoint] of Object.entries(ENTRY_POINTS)) {
    if (!existsSync(join(root, entryPoint))) continue;
    const report = extract(name, entryPoint, temp);
    const file = join(here, `${name}.api.md`);
    const loose = anyLines(report);
    if (loose.length > 0) {
      failed = true;
      console.error(`The public API of ${name} says "any":\n${loose.join('\n')}`);
    }
    if (update) {
      writeFileSync(file, report);
    } else if (!existsSync(file) || readFileSync(file, 'utf8') !== report) {
      failed = true;
      console.error(`The public API of ${name} differs from docs/api/${name}.api.md. Meant? Run: npm run api`);
    }
  }
} finally {
  rmSync(temp, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
