import { readFileSync } from 'node:fs';
import { page } from './pages.js';

const source = readFileSync('lib/core/errors.ts', 'utf8');
const union = /export type ErrorCode =([^;]*);/.exec(source)?.[1] ?? '';
const codes = Array.from(union.matchAll(/'(VALKEY_\w+)'/g), ([, code]) => code);
const sections = Array.from(page('docs/errors.md').text.matchAll(/^### (.*)$/gm), ([, title]) => title);

describe('the guide to errors', () => {
  it('has a section for every code, in the same order', () => {
    expect(codes).not.toEqual([]);
    expect(sections).toEqual(codes);
  });

  it.each(codes)('says of %s what happened, why, what to do, and whether it was executed', (code) => {
    const [, section = ''] = page('docs/errors.md').text.split(`### ${code}\n`);
    const [body = ''] = section.split(/^##/m);
    for (const label of ['Class', 'Happened', 'Cause', 'Cure', 'Executed']) expect(body).toContain(`**${label}:**`);
  });
});
