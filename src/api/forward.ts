/** Requests that are not the edge Worker's, handed on to the control Worker. */
import { problemResponse, storageUnavailable } from './problem.ts';
import type { RequestServices } from './services.ts';

/** The part of a service binding that is needed. */
export interface Control {
  fetch(request: Request): Response | Promise<Response>;
}

/** What the edge holds of what the control Worker changes, by the first two parts of the path that changes it. */
export type Held = 'keys' | 'rules' | 'snapshot';

const CHANGED_BY: Readonly<Record<string, Held>> = {
  '/v1/keys': 'keys',
  '/v1/overrides': 'rules',
  '/v1/policy': 'rules',
  '/v1/rollback': 'snapshot',
};
/** It tells the generation: who has read it does not expect lookups of one before. */
const STATUS = '/v1/status';

export interface ForwardDeps {
  readonly control: Control;
  /**
   * Called before a request that may change what this isolate holds, or tells how it is; what it returns, once its answer
   * is there or is not coming, so that who has it finds no older state in the lookups after. Never rejects.
   */
  readonly expectChange: (held: Held) => () => Promise<void>;
}

/**
 * The request itself goes on, its body unread, and the answer comes back as it is, both streaming. If the binding fails
 * nobody knows how far the control Worker came: what it had stored, it has stored.
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
