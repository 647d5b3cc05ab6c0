/** The two bodies that a refused end user can see. */

/**
 * The front end tells the two apart by `code`; whoever tries numbers must not learn more. So there is one body for
 * every block, whether by the list, by a rule or for want of an answer, and no name of this service in it.
 */
export function refusalOf(isBlock: boolean): Response {
  const [code, title] = isBlock ? ['request-refused', 'Forbidden'] : ['challenge-required', 'Verification required'];
  return new Response(JSON.stringify({ type: 'about:blank', title, status: 403, code }), {
    status: 403,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}
