/** A Worker may have six connections open at once: further ones would wait. */
export const CONNECTIONS = 6;

/**
 * Does something for each item, up to six at a time. Rejects with the first failure; calls that had begun go on, and
 * their outcome is ignored.
 */
export async function mapConcurrent<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}
