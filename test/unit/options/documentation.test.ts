import { readFileSync } from 'node:fs';
import { VARIABLES } from '../../../lib/options/environment.js';
import { optionsSchema } from '../../../lib/options/schema.js';

const page = readFileSync('docs/configuration.md', 'utf8');

it.each(Object.keys(VARIABLES))('[CFG-2] the guide explains %s', (name) => {
  expect(page).toContain(`\`${name}\``);
});

it.each(Object.keys(optionsSchema.shape))('[CFG-1] the guide explains the option %s', (name) => {
  expect(page).toMatch(new RegExp(`^\\| \`${name}[\`.]`, 'm'));
});
