import { AuthenticationError, ConnectionError } from '../../../../lib/index.js';
import { reconnectDelay } from '../../../../lib/driver/valkey/reconnect-delay.js';

const LOST = new ConnectionError('lost');

describe('reconnectDelay', () => {
  it('doubles its range with each attempt, up to five seconds', () => {
    const longest = [1, 2, 3, 8, 100].map((attempt) => reconnectDelay(attempt, LOST, () => 1));

    expect(longest).toEqual([51, 101, 201, 5_001, 5_001]);
  });

  it('is anything within its range, so that clients do not come back together', () => {
    expect(reconnectDelay(100, LOST, () => 0)).toBe(1);
    expect(new Set(Array.from({ length: 50 }, () => reconnectDelay(8, LOST))).size).toBe(50);
  });

  it('[RES-6] is half a minute after refused credentials', () => {
    const refused = new AuthenticationError('refused');

    expect(reconnectDelay(1, refused, () => 0)).toBe(15_000);
    expect(reconnectDelay(1, refused, () => 1)).toBe(30_000);
  });
});
