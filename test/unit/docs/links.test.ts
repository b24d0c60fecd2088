import { deadLinks, pages } from './pages.js';

it.each(pages())('every relative link of $path leads to a file and a heading in it', (page) => {
  expect(deadLinks(page)).toEqual([]);
});
