/**
 * Both Workers in one, bound to itself, since the test pool runs one: each has an isolate's worth of state of its own.
 */
import { WorkerEntrypoint } from 'cloudflare:workers';
import control from '../../src/control.ts';

export { PolicyCompiler } from '../../src/control.ts';
export { default, Lookup } from '../../src/edge.ts';

/** What the edge's binding CONTROL reaches. */
export class Control extends WorkerEntrypoint<Cloudflare.Env> {
  override fetch(request: Request<unknown, IncomingRequestCfProperties>) {
    return control.fetch(request, this.env);
  }
}
