import { readSlots } from '../../../../lib/driver/valkey/slot-map.js';

const ASKED = { host: '10.0.0.1', port: 7000 };

describe('readSlots', () => {
  it('reads ranges with their primary and replicas', () => {
    const raw = [
      ['0', '99', [Buffer.from('a'), '1', 'id'], ['b', '2']],
      ['100', '16383', ['c', '3']],
    ];

    expect(readSlots(raw, ASKED)).toEqual([
      { from: 0, to: 99, primary: { host: 'a', port: 1 }, replicas: [{ host: 'b', port: 2 }] },
      { from: 100, to: 16383, primary: { host: 'c', port: 3 }, replicas: [] },
    ]);
  });

  it.each([[null], [''], ['?']])('takes the host %p for the one that was asked', (host) => {
    expect(readSlots([['0', '1', [host, '5']]], ASKED)[0]?.primary).toEqual({ host: '10.0.0.1', port: 5 });
  });

  it.each([
    ['nothing', null],
    ['no array', 'text'],
    ['a row that is none', ['row']],
    ['a range backwards', [['5', '1', ['a', '1']]]],
    ['a slot there is not', [['0', '16384', ['a', '1']]]],
    ['a range without a node', [['0', '1']]],
    ['a node without a port', [['0', '1', ['a', '0']]]],
    ['a node that is no list', [['0', '1', 'a']]],
  ])('leaves out %s', (_, raw) => {
    expect(readSlots(raw, ASKED)).toEqual([]);
  });
});
