import { compile } from './compile.js';
import { examples, pages } from './pages.js';

const all = pages().flatMap((page) => examples(page));
let found: ReturnType<typeof compile>;

describe('examples of the documentation', () => {
  beforeAll(() => {
    found = compile(all);
  }, 120_000);

  it.each(all)('$place compiles', ({ place }) => {
    expect(found.get(place)).toEqual([]);
  });
});
