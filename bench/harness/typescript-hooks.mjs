import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { transform } from '@swc/core';

/**
 * Lets Node 20 import the TypeScript of `test/support`, so that the bench starts servers exactly as the tests do.
 * Only specifiers that a `.ts` file, or the bench itself, resolves to a `.ts` file are touched.
 */

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  const importedByTypeScript = context.parentURL?.endsWith('.ts') && specifier.startsWith('.');
  return next(importedByTypeScript ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
