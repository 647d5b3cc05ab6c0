/** Options that are either given at set-up or, since bindings and secrets of a Worker come with a request, by each. */

/**
 * @param open makes what is used out of what is given, and throws if it is unfit
 * @returns what gives it for a request; it gives null if a function of the context threw or gave something unfit
 * @throws what `open` throws, if it is given at set-up
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
      // Never awaited: what a service binding makes of being treated as a promise is not ours to find out.
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
