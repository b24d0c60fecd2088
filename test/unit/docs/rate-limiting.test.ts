import { RateLimit } from '../../../lib/index.js';
import type { RateLimitOptions } from '../../../lib/index.js';
import { resolveLimitSettings } from '../../../lib/nest/rate-limit/module-options.js';
import { limitPresets, resolveLimiter, resolveLimits } from '../../../lib/options/limit-options.js';
import type { Limits } from '../../../lib/options/limit-options.js';
import { page } from './pages.js';

const { text } = page('docs/rate-limiting.md');

/** Rows of the tables under a heading, as cells. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = text.split(`\n${heading}\n`);
  const lines = (section.split(/\n##+ /)[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

function namesUnder(heading: string): readonly string[] {
  return rowsUnder(heading).flatMap(([names = '']) =>
    Array.from(names.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
  );
}

/** The options somebody knows, as his error tells them. */
function knownTo(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    return /Known here: (.*)\./.exec((error as Error).message)?.[1]?.split(', ') ?? [];
  }
  return [];
}

const unknown = { unheardOf: 1 } as object;

describe('the guide to rate limiting', () => {
  it('[RLM-1] has a row for every option of @RateLimit(), and for no other', () => {
    class Shop {}
    const method = { value: () => Promise.resolve(1) };
    const known = knownTo(() => RateLimit(unknown as RateLimitOptions)(Shop.prototype, 'buy', method));

    expect(known.length).toBeGreaterThan(10);
    expect(namesUnder('### @RateLimit').toSorted()).toEqual(known.toSorted());
  });

  it('[RLM-1] has a row for every option of a tier, and for no other', () => {
    const known = knownTo(() => resolveLimits([unknown] as unknown as Limits, 'a test'));

    expect(namesUnder('### Tiers').toSorted()).toEqual(known.toSorted());
  });

  it('[RLM-4] has a row for every option of the module, and for no other', () => {
    const known = knownTo(() => resolveLimitSettings(unknown, 'default'));

    expect(namesUnder('### rateLimit of the module').toSorted()).toEqual(known.toSorted());
  });

  it.each(['onStoreDown', 'timeout', 'blockList'] as const)('[RLM-4] states the default of %s as it is', (name) => {
    const row = rowsUnder('### rateLimit of the module').find(([option]) => option === `\`${name}\``);
    const stated: unknown = JSON.parse((row?.[1] ?? '').replaceAll('`', '').replaceAll("'", '"').replaceAll('_', ''));

    expect(resolveLimiter({ [name]: stated })).toEqual(resolveLimiter());
  });

  it('[RLM-4] states what presets admit, and the variables that change it', () => {
    const { presets } = limitPresets({});
    for (const [name = '', admits = '', variables = ''] of rowsUnder('## Presets of the environment')) {
      const preset = name.replaceAll('`', '') as keyof typeof presets;
      const [most = '', window = ''] = Array.from(variables.matchAll(/`(\w+)`/g), ([, variable = '']) => variable);
      const { limit } = presets[preset];

      expect(admits).toBe(`${limit.toLocaleString('en')} in 60 s`);
      expect(limitPresets({ [most]: '7', [window]: '3' }).presets[preset]).toMatchObject({ limit: 7, window: 3_000 });
    }
    expect(rowsUnder('## Presets of the environment')).toHaveLength(Object.keys(presets).length);
  });
});
