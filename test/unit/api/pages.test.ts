/** Pages for a browser: nobody frames them, guesses their type, or learns from which address somebody came. */
import { expect, it } from 'vitest';
import { ADMIN_KEY, Harness } from './harness.ts';

it('every HTML page, of whatever route, says so in its headers', async () => {
  const harness = new Harness();
  const pages: string[] = [];
  for (const { method, path, parameters = [] } of harness.routes) {
    if (method !== 'GET') continue;
    const example = (name: string) =>
      parameters.find((each) => each.in === 'path' && each.name === name)?.example ?? '';
    const response = await harness.app.request(
      path.replaceAll(/:(\w+)/g, (_, name: string) => example(name)),
      { headers: { authorization: `Bearer ${ADMIN_KEY}`, accept: 'text/html,*/*;q=0.5' } },
    );
    await response.text();
    expect(response.headers.get('x-content-type-options'), path).toBe('nosniff');
    if (!(response.headers.get('content-type') ?? '').startsWith('text/html')) continue;
    pages.push(path);
    const policy = (response.headers.get('content-security-policy') ?? '').split('; ');
    expect(policy, path).toEqual(
      expect.arrayContaining(["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]),
    );
    expect(response.headers.get('referrer-policy'), path).toBe('no-referrer');
  }
  expect(pages.sort()).toEqual(['/docs', '/v1/briefings/:from/:to']);
});
