import { publicMembers } from '../../../lib/testing/contract/coverage.js';
import { page } from './pages.js';

const { text } = page('docs/commands.md');

it.each(publicMembers())('the guide to commands names %s', (name) => {
  expect(text).toMatch(new RegExp(`\`${name}[(\`]`));
});
