let latest = 0;

/** A moment after all there were: the order of things in this process, without what a look at the clock costs. */
export function nextMoment(): number {
  latest += 1;
  return latest;
}

/** The moment this is: what came before has it or an earlier one, what comes later a later one. */
export function presentMoment(): number {
  return latest;
}
