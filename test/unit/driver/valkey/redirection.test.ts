import { readRedirection } from '../../../../lib/driver/valkey/redirection.js';

describe('readRedirection', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', slot: 3999, address: { host: '127.0.0.1', port: 6381 } }],
    ['ASK 1 node.example:7', { kind: 'ask', slot: 1, address: { host: 'node.example', port: 7 } }],
    ['MOVED 5 :6381', { kind: 'moved', slot: 5, address: { host: 'asked', port: 6381 } }],
    ['MOVED 5 [::1]:6381', { kind: 'moved', slot: 5, address: { host: '::1', port: 6381 } }],
    ['MOVED 5 ::1:6381', { kind: 'moved', slot: 5, address: { host: '::1', port: 6381 } }],
  ])('reads %s', (message, redirection) => {
    expect(readRedirection(message, 'asked')).toEqual(redirection);
  });

  it.each(['MOVED', 'ERR MOVED 1 a:1', 'TRYAGAIN later', 'MOVED x a:1', ''])('is not to be found in %p', (message) => {
    expect(readRedirection(message, 'asked')).toBeUndefined();
  });
});
