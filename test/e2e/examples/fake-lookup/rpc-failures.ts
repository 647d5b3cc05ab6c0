/** Ways to fail by RPC, and what the middleware is to call each. */
export const RPC_FAILURES = {
  slow: 'timeout',
  never: 'timeout',
  throws: 'unreachable',
  text: 'malformed',
  nothing: 'malformed',
  'wrong shape': 'malformed',
  'no shape at all': 'malformed',
  'of another number': 'another-number',
  'quota used up': 'rate-limited',
  'storage down': 'unavailable',
  'cannot say': 'unavailable',
} as const;

export const RPC_NAMES = ['allow', 'block', ...Object.keys(RPC_FAILURES)];
