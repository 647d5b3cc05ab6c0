/** Options that are either given at set-up or, since bindings and secrets of a Worker come with a request, by each. */

/**
 * @param open turns the given value into the one that is used, and throws if it is unusable
 * @returns a function of the context that returns the value for a request, or null if that threw or was unusable
 * @throws what `open` throws, if the value is given at set-up
 */
export function perRequest<Args extends readonly unknown[], Given, Opened>(
  given: Given | ((...args: Args) => Given),
  open: (given: Given) => Opened,
): (...args: Args) => Opened | null {
  if (!isContextFunction(given)) {
    const opened = open(given);
    return () => opened;
  }
  return (...args) => {
    try {
      // Never awaited: a service binding may treat `then` as a method to be called.
      return open(given(...args));
    } catch {
      return null;
    }
  };
}

/** A stub of an entry point in the same Worker (`ctx.exports`) is a function too, but has any method one asks for. */
function isContextFunction<Args extends readonly unknown[], Given>(
  given: Given | ((...args: Args) => Given),
): given is (...args: Args) => Given {
  return typeof given === 'function' && !(given as { readonly lookup?: unknown }).lookup;
}
