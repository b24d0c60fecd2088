import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One page of the documentation. */
export interface Page {
  /** From the root of the repository: `docs/errors.md`. */
  readonly path: string;
  readonly text: string;
}

/** A block of TypeScript on a page. */
export interface Example {
  /** `README.md:12`, the line of its fence. */
  readonly place: string;
  readonly code: string;
}

/** Everything a reader may meet: the pages in the root, the guides, the records of decisions. */
export function pages(): readonly Page[] {
  const roots = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'];
  return [...roots, ...markdownIn('docs'), ...markdownIn('docs/adr')].map((path) => page(path));
}

/** One page. */
export function page(path: string): Page {
  return { path, text: readFileSync(path, 'utf8') };
}

/** The blocks marked `ts`; those marked `ts no-check` are fragments that cannot stand alone. */
export function examples({ path, text }: Page): readonly Example[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ index, 1: code = '' }) => ({
    place: `${path}:${text.slice(0, index).split('\n').length}`,
    code,
  }));
}

/** Relative links of a page that lead nowhere: no such file, or no such heading in it. */
export function deadLinks({ path, text }: Page): readonly string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links.filter((target) => !/^[a-z]+:/i.test(target) && !leadsSomewhere(path, target));
}

function leadsSomewhere(from: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(path)) return false;
  return anchor === undefined || !path.endsWith('.md') || anchorsOf(page(path)).includes(anchor);
}

/** The anchors of a page's headings, as code forges make them. */
function anchorsOf({ text }: Page): readonly string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

function markdownIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}
