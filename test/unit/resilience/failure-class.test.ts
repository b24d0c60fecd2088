import {
  ConnectionError,
  OutcomeUnknownError,
  ReplyError,
  ServerBusyError,
  TlsError,
  AuthenticationError,
  ClientClosedError,
  DeadlineError,
} from '../../../lib/index.js';
import { classify } from '../../../lib/resilience/failure-class.js';

describe('classify', () => {
  it.each([
    [new ConnectionError('x'), 'not-executed'],
    [new ServerBusyError('LOADING', 'x'), 'not-executed'],
    [new OutcomeUnknownError('INCR'), 'unknown'],
    [new AuthenticationError('x'), 'refused'],
    [new TlsError('x'), 'refused'],
    [new DeadlineError('GET', 1), 'refused'],
    [new ReplyError('WRONGTYPE', 'x'), 'answered'],
    [new ClientClosedError(), 'answered'],
  ] as const)('takes %s for %s', (error, failure) => {
    expect(classify(error)).toBe(failure);
  });
});
