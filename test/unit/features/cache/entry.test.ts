import { headOf, headSeen, readEntry, tailOf, token } from '../../../../lib/features/cache/entry.js';

const ID = 'abcdefghijklmnop';
const GENERATION = 'AAAAAAAAAAAAAAAA';
const TIMES = ' 1763737440123 1763737450456';

function stored({ head = headOf(ID), times = TIMES, tags = [] as { tag: string; token: string }[] } = {}): string {
  return head + times + tailOf('typed-json', { generation: GENERATION, tags }) + '{"a":"line\\nline"}';
}

describe('[CAC-1] a stored entry', () => {
  it.each([
    ['text', (text: string) => text],
    ['bytes', (text: string) => Buffer.from(text)],
  ])('is read back from %s', (_, as) => {
    const entry = readEntry(as(stored()));
    expect(entry).toMatchObject({ freshUntil: 1_763_737_440_123, expiresAt: 1_763_737_450_456, tags: [] });
    expect([entry?.id, entry?.format, entry?.generation]).toEqual([ID, 'typed-json', GENERATION]);
    expect(String(entry?.payload)).toBe('{"a":"line\\nline"}');
  });

  it('tells its tags, whatever is in them', () => {
    const tags = [
      { tag: 'a b=c', token: token() },
      { tag: 'ü\n', token: token() },
    ];
    expect(readEntry(stored({ tags }))?.tags).toEqual(tags);
  });

  it('knows its format and its generation, and takes nothing else for them', () => {
    const entry = readEntry(stored());
    expect(
      ['typed-json', 'typed', 'typed-jsonx', 'typed-json+gzip', ''].map((name) => entry?.isWrittenAs(name)),
    ).toEqual([true, false, false, false, false]);
    expect([GENERATION, GENERATION.slice(1), 'B'.repeat(16), '', undefined].map((each) => entry?.isOf(each))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ['nothing', ''],
    ['something else', '{"a":1}'],
    ['a header that does not end', stored().slice(0, 60)],
    ['another mark', stored({ head: `nv2 ${ID}` })],
    ['a time that is none', stored({ times: ' 17637374401x3 1763737450456' })],
    ['a time of spaces', stored({ times: ` ${' '.repeat(13)} 1763737450456` })],
    ['a line that ends too soon', stored({ head: `nv1 ${'\n'.repeat(16)}` })],
    ['no generation', `${headOf(ID)}${TIMES} typed-json AAAA\n{}`],
    ['no format', `${headOf(ID)}${TIMES}\n{}`],
    ['a tag that cannot be read', stored({ tags: [] }).replace('\n', ' %E0%=x\n')],
  ])('is not made of %s', (_, raw) => {
    expect(readEntry(raw)).toBeUndefined();
    expect(readEntry(Buffer.from(raw))).toBeUndefined();
  });

  it('has the head the lease script sees', () => {
    const entry = readEntry(stored());
    expect(headSeen(stored())).toBe(headOf(entry?.id ?? ''));
    expect(headSeen(Buffer.from(stored()))).toBe(headOf(ID));
    expect(headSeen(null)).toBe('');
  });
});
