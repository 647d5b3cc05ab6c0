/** A view of a request whose body can be read without taking it from the route. */

const BODY_MEMBERS = /^(arrayBuffer|blob|body|bytes|formData|json|text)$/;

/**
 * The same request, with all that a router has added to it, but every access to its body goes to a new clone. Cloned
 * only then: a clone makes the runtime keep the whole body in memory, and one whose body is never read keeps it for
 * nothing. A view is for reading; to hand the request on, use the request itself.
 */
export function untouched<R extends Request>(request: R): R {
  return new Proxy(request, {
    get(target, name) {
      const owner = BODY_MEMBERS.test(String(name)) ? target.clone() : target;
      // Not the receiver: the getters of a Request refuse to work on a proxy of it.
      const value: unknown = Reflect.get(owner, name, owner);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  });
}
