/**
 * When somebody asks, in milliseconds from the start. Windows begin with the first call, so each begins with one.
 */

/** A window's worth at the end of a window, and as much again at the beginning of the next. */
export function twoBursts(limit, window) {
  return [0, ...burst(limit, window - 1), ...burst(limit, window)];
}

/** A window's worth at the end of a window, and from then on one every millisecond: whatever can be had is taken. */
export function burstAndRetry(limit, window) {
  return [0, ...burst(limit, window - 1), ...Array.from({ length: 3 * window }, (_, index) => window + index)];
}

/** `rate` in a window on average, independent of each other; the same in each run. */
export function poisson(rate, window, windows) {
  const times = [];
  let time = 0;
  for (const random of randoms()) {
    time += (-Math.log(1 - random) * window) / rate;
    if (time >= windows * window) return times;
    times.push(Math.floor(time));
  }
  return times;
}

/** `rate` in a window, evenly. */
export function steady(rate, window, windows) {
  return Array.from({ length: rate * windows }, (_, index) => Math.floor((index * window) / rate));
}

/**
 * The most of these times that lie in one window, wherever it begins.
 *
 * @param {readonly number[]} times In their order.
 * @param {number} window
 */
export function mostInAnyWindow(times, window) {
  let most = 0;
  let first = 0;
  for (const [last, time] of times.entries()) {
    while (time - times[first] >= window) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** @param {number} limit @param {number} time */
function burst(limit, time) {
  return Array.from({ length: limit }, () => time);
}

/** From 0 to 1, in an order nothing can guess. */
function* randoms() {
  for (let state = 1; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}
