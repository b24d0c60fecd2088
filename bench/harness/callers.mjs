/**
 * Works through a list with so many at once; whoever is done takes the next.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {number} callers
 * @param {(item: T) => Promise<unknown>} work
 */
export async function forEach(items, callers, work) {
  const next = items[Symbol.iterator]();
  const call = async () => {
    for (let each = next.next(); !each.done; each = next.next()) await work(each.value);
  };
  await Promise.all(Array.from({ length: callers }, call));
}
