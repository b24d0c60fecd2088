/**
 * Compares the public API with its reports beside this file, and refuses `any` in it. `--update` writes the reports
 * anew: do that when a change of the API is meant, and read the difference.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const update = process.argv.includes('--update');

const { name: packageName, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Every subpath with types: what is exported and not in a report would be public by accident. */
const ENTRY_POINTS = Object.entries(exports).flatMap(([subpath, { types }]) =>
  types ? [[`${packageName}${subpath.slice(1).replaceAll('/', '-')}`, types]] : [],
);

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
          default: { logLevel: ExtractorLogLevel.None },
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.None, addToApiReportFile: true },
        },
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
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
    .filter((line) => !line.trimStart().startsWith('//') && /(?<![\w.$'"`])any(?![\w$'"`(]|\??:)/.test(line));
}

let failed = false;
const temp = mkdtempSync(join(tmpdir(), 'api-report-'));
try {
  for (const [name, entryPoint] of ENTRY_POINTS) {
    if (!existsSync(join(root, entryPoint))) {
      failed = true;
      console.error(`package.json exports ${entryPoint}, which the build has not made.`);
      continue;
    }
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
