/** Forwards requests that are not the edge Worker's to the control Worker. */
import { problemResponse, storageUnavailable } from './problem.ts';
import type { RequestServices } from './services.ts';

/** The part of a service binding that forwarding needs. */
export interface Control {
  fetch(request: Request): Response | Promise<Response>;
}

/** What the edge holds a copy of and the control Worker changes; the first two parts of a path tell which. */
export type Held = 'keys' | 'rules' | 'snapshot';

const CHANGED_BY: Readonly<Record<string, Held>> = {
  '/v1/keys': 'keys',
  '/v1/overrides': 'rules',
  '/v1/policy': 'rules',
  '/v1/rollback': 'snapshot',
};
/** Tells the newest generation: who has read it must not get lookups of an earlier one afterwards. */
const STATUS = '/v1/status';

export interface ForwardDeps {
  readonly control: Control;
  /**
   * Called before a request that may change what this isolate holds, or that reports its state. What it returns is
   * called when the answer is there or is not coming. Lookups that come after the answer then see no older state. Never
   * rejects.
   */
  readonly expectChange: (held: Held) => () => Promise<void>;
}

/**
 * Forwards the request itself, its body unread, and returns the answer unchanged; both stream. If the binding fails,
 * nobody knows how far the control Worker came: what it had stored by then stays stored.
 */
export function forwardTo({ control, expectChange }: ForwardDeps, log: RequestServices['log']) {
  return async (request: Request): Promise<Response> => {
    const held = heldOf(request);
    const changed = held === null ? null : expectChange(held);
    const answer = await answerOf(control, request, log);
    await changed?.();
    return answer;
  };
}

async function answerOf(control: Control, request: Request, log: RequestServices['log']): Promise<Response> {
  try {
    return await control.fetch(request);
  } catch (error) {
    log('control.unavailable', { error: error instanceof Error ? error.name : typeof error });
    return problemResponse(storageUnavailable('this part of the service does not answer at the moment'));
  }
}

function heldOf({ method, url }: Request): Held | null {
  const { pathname } = new URL(url);
  if (method === 'GET' || method === 'HEAD') return pathname === STATUS ? 'snapshot' : null;
  const [, version = '', resource = ''] = pathname.split('/');
  return CHANGED_BY[`/${version}/${resource}`] ?? null;
}
