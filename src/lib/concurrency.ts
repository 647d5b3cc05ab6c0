/** A Worker may have six connections open at once: further ones would wait. */
export const CONNECTIONS = 6;

/**
 * Does something for each item, at most `width` at a time, begun in their order. After a failure no other call begins:
 * it rejects with the first one, when the calls under way have ended, so that nothing it began goes on behind its
 * caller.
 */
export async function mapConcurrent<T>(
  items: Iterable<T>,
  work: (item: T, index: number) => Promise<void>,
  width = CONNECTIONS,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  let begun = 0;
  const worker = async () => {
    while (failures.length === 0) {
      try {
        const next = iterator.next();
        if (next.done === true) return;
        await work(next.value, begun++);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failures.length > 0) throw failures[0];
}
