import { replyKind, toReplyError } from '../../../lib/core/reply-error.js';

describe('toReplyError', () => {
  it.each([
    ['OOM command not allowed', 'VALKEY_OUT_OF_MEMORY', 'OOM'],
    ['CROSSSLOT Keys in request', 'VALKEY_CROSS_SLOT', undefined],
    ['NOAUTH Authentication required.', 'VALKEY_AUTHENTICATION_FAILED', undefined],
    ['LOADING the dataset', 'VALKEY_SERVER_BUSY', 'LOADING'],
    ['READONLY You can not write', 'VALKEY_SERVER_BUSY', 'READONLY'],
    ['TRYAGAIN', 'VALKEY_SERVER_BUSY', 'TRYAGAIN'],
    ['WRONGTYPE Operation', 'VALKEY_REPLY', 'WRONGTYPE'],
    ['lower case', 'VALKEY_REPLY', 'ERR'],
  ])('makes of %s an error with code %s', (message, code, kind) => {
    expect(toReplyError(message, 'GET')).toMatchObject({ code, subject: 'GET', ...(kind && { kind }) });
  });

  it('leaves out the arguments the server repeats', () => {
    expect(toReplyError("ERR unknown command 'X', with args beginning with: 's3cr3t'", 'X').message).not.toContain(
      's3cr3t',
    );
  });

  it('knows the first word only when it is one', () => {
    expect(['ERR x', 'MOVED', 'Oops x', ''].map(replyKind)).toEqual(['ERR', 'MOVED', 'ERR', 'ERR']);
  });
});
