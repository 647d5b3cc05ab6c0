import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check, LookupAnswer } from '../../../../src/sdk/middleware/types.ts';
import {
  ADAPTERS,
  ANSWERS,
  CLEAR,
  type CommonOptions,
  FakeSource,
  LISTED,
  NUMBER,
  SUSPECT,
  seen,
  signup,
  wait,
  watchUnhandled,
} from './support.ts';

let unhandled: ReturnType<typeof watchUnhandled>;
beforeEach(() => {
  unhandled = watchUnhandled();
});
afterEach(async () => {
  await wait(5);
  unhandled.stop();
  expect(unhandled.seen).toEqual([]);
});

const down = () => new FakeSource(() => Promise.reject(new Error(`down while asked for ${NUMBER}`)));
/** Whatever the answer says of the number, its own text included. */
const SECRETS = [NUMBER, NUMBER.slice(1), 'modem', 'listed', 'suspect', 'otp_marketplace', '1234', 'ringfence'];

describe.each(ADAPTERS)('%s', (_name, build) => {
  /** An app whose route says what it got. */
  const app = (options: CommonOptions) =>
    build(options, (check, body) => Response.json({ check, body }, { status: 201 }));

  it.each(ANSWERS)('%s', async (action, answer) => {
    const response = await app({ from: new FakeSource(answer) })(signup());
    if (action === 'allow' || action === 'flag') {
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({ check: { outcome: action, answer }, body: { phone: NUMBER } });
      return;
    }
    expect(response.status).toBe(403);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const code = action === 'block' ? 'request-refused' : 'challenge-required';
    expect(await response.clone().json()).toMatchObject({ status: 403, code });
    const visible = (await seen(response)).toLowerCase();
    for (const secret of SECRETS) expect(visible).not.toContain(secret);
  });

  it('a block by the list and one for want of an answer are the same bytes', async () => {
    const byList = await app({ from: new FakeSource(LISTED) })(signup());
    const byError = await app({ from: down(), onError: 'block' })(signup());
    const byNumber = await app({ from: new FakeSource(CLEAR), onBadNumber: 'block' })(signup('no JSON'));
    expect(await seen(byError)).toBe(await seen(byList.clone()));
    expect(await seen(byNumber)).toBe(await seen(byList));
  });

  it('a failure with onError: allow reaches the route, which still has its body', async () => {
    const response = await app({ from: down() })(signup());
    expect(await response.json()).toMatchObject({ check: { error: 'unreachable' }, body: { phone: NUMBER } });
  });

  it('a body that cannot be read is unreadable, and the route sees it as it would without', async () => {
    const checks: Check[] = [];
    const onResult = (_context: unknown, check: Check) => checks.push(check);
    const options = { from: new FakeSource(CLEAR), onBadNumber: 'allow', onResult } as const;
    const response = await app(options)(signup('no JSON'));
    expect(await response.text()).toContain('route threw: Unexpected token');
    expect(checks).toMatchObject([{ error: 'unreadable', outcome: 'allow' }]);
  });

  it('no number in the body goes to the route', async () => {
    const response = await app({ from: new FakeSource(LISTED), onError: 'block' })(signup({ name: 'nobody' }));
    expect(await response.json()).toMatchObject({ check: { error: 'no-number' }, body: { name: 'nobody' } });
  });

  it('what the route throws passes through untouched', async () => {
    const throwing = build({ from: new FakeSource(CLEAR), onError: 'block' }, () => {
      throw new Error('of the route');
    });
    const response = await throwing(signup());
    expect([response.status, await response.text()]).toEqual([500, 'route threw: of the route']);
  });

  it.each([LISTED, SUSPECT])('a dry run reports and lets through', async (answer: LookupAnswer) => {
    const refuse = () => new Response('not asked');
    const options = { from: new FakeSource(answer), dryRun: true, onBlock: refuse, onChallenge: refuse };
    const response = await app(options)(signup());
    expect(await response.json()).toMatchObject({
      check: { outcome: answer.action, enforced: false, pass: true, answer },
      body: { phone: NUMBER },
    });
  });

  it('onBlock and onChallenge give the response, from the context and the check', async () => {
    const refuse = async (context: unknown, check: Check) =>
      Response.json([typeof context, check.outcome], { status: 451 });
    for (const answer of [LISTED, SUSPECT]) {
      const response = await app({ from: new FakeSource(answer), onBlock: refuse, onChallenge: refuse })(signup());
      expect([response.status, await response.json()]).toEqual([451, ['object', answer.action]]);
    }
  });

  it('the default is sent if they throw, reject or give nothing', async () => {
    const bad: NonNullable<CommonOptions['onBlock']>[] = [
      () => raise('of onBlock'),
      () => Promise.reject(new Error('of onBlock')),
      () => undefined,
      () => 'pass' as unknown as Response,
    ];
    const plain = await seen(await app({ from: new FakeSource(LISTED) })(signup()));
    for (const onBlock of bad) {
      expect(await seen(await app({ from: new FakeSource(LISTED), onBlock })(signup()))).toBe(plain);
    }
    const challenged = await seen(await app({ from: new FakeSource(SUSPECT) })(signup()));
    for (const onChallenge of bad.slice(0, 3)) {
      expect(await seen(await app({ from: new FakeSource(SUSPECT), onChallenge })(signup()))).toBe(challenged);
    }
  });

  it("onChallenge may say 'pass', for a route with a step-up of its own", async () => {
    const response = await app({ from: new FakeSource(SUSPECT), onChallenge: () => 'pass' })(signup());
    expect(await response.json()).toMatchObject({
      check: { outcome: 'challenge', pass: true, challengePassed: false },
    });
  });

  it('onResult is told once, and cannot hurt', async () => {
    const told: Check[] = [];
    const hooks: NonNullable<CommonOptions['onResult']>[] = [
      (_context, check) => void told.push(check),
      () => raise('of onResult'),
      () => Promise.reject(new Error('of onResult')),
      () => new Promise(() => {}),
    ];
    for (const onResult of hooks) {
      for (const answer of [LISTED, CLEAR]) {
        const response = await app({ from: new FakeSource(answer), onResult })(signup());
        expect(response.status).toBe(answer === LISTED ? 403 : 201);
      }
    }
    expect(told.map(({ outcome }) => outcome)).toEqual(['block', 'allow']);
  });

  it('every function that reads may throw: it is the request that cannot be checked', async () => {
    const throwing: Partial<CommonOptions>[] = [
      { country: () => raise('of country') },
      { scenario: () => Promise.reject(new Error('of scenario')) },
      { country: () => raise('of country'), scenario: () => Promise.reject(new Error('of scenario')) },
    ];
    for (const options of throwing) {
      for (const body of [undefined, 'no JSON']) {
        const response = await app({ from: new FakeSource(CLEAR), onBadNumber: 'block', ...options })(signup(body));
        expect(response.status).toBe(403);
      }
    }
    const from = () => raise('of from');
    const response = await app({ from, onError: 'allow' })(signup());
    expect(await response.json()).toMatchObject({ check: { error: 'misconfigured' } });
  });

  it('country and scenario are text or functions', async () => {
    const from = new FakeSource(CLEAR);
    await app({ from, country: 'PH', scenario: async () => 'signup' })(signup());
    expect(from.asked).toEqual([{ number: NUMBER, country: 'PH', scenario: 'signup' }]);
  });
});

function raise(message: string): never {
  throw new Error(message);
}
