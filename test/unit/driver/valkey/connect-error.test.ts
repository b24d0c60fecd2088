import { ClientClosedError } from '../../../../lib/index.js';
import { toConnectError } from '../../../../lib/driver/valkey/connect-error.js';

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError', command: { args: ['s3cr3t'] } });
}

describe('toConnectError', () => {
  it.each([
    ['WRONGPASS invalid username-password pair', 'VALKEY_AUTHENTICATION_FAILED'],
    ['NOAUTH Authentication required.', 'VALKEY_AUTHENTICATION_FAILED'],
    ['ERR AUTH <password> called without any password configured for the default user', 'VALKEY_AUTHENTICATION_FAILED'],
    ['LOADING the dataset', 'VALKEY_SERVER_BUSY'],
    ['ERR DB index is out of range', 'VALKEY_REPLY'],
  ])('reads the answer %s as %s', (message, code) => {
    expect(toConnectError(replyError(message), 'a:1').code).toBe(code);
  });

  it.each(['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'EPROTO'])(
    '[CFG-7] says that TLS failed, and why: %s',
    (code) => {
      const error = toConnectError(Object.assign(new Error('x'), { code }), 'a:1');
      expect(error.code).toBe('VALKEY_TLS_FAILED');
      expect(error.message).toContain(code);
    },
  );

  it('names the address and the reason of a connection that failed', () => {
    const error = toConnectError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'a:1');

    expect(error).toMatchObject({ code: 'VALKEY_CONNECTION_FAILED', subject: 'a:1' });
    expect(error.message).toContain('ECONNREFUSED');
    expect(toConnectError('just text', 'a:1').message).toContain('just text');
  });

  it('passes our own errors on as they are', () => {
    const closed = new ClientClosedError();
    expect(toConnectError(closed, 'a:1')).toBe(closed);
  });

  it('takes the arguments of a command off, which can be a secret', () => {
    expect(JSON.stringify(toConnectError(replyError('WRONGPASS no'), 'a:1').cause)).not.toContain('s3cr3t');
  });
});
