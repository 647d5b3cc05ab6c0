/**
 * The bench Worker on bare workerd: bundled by wrangler exactly as `npm run deploy` does it, with the store's folders
 * as services of files.
 */
import { join, resolve } from 'node:path';
import { compatibilityDate } from '../../scripts/command/paths.ts';
import { bundleByWrangler, capnpText, startWorkerd, type Workerd } from '../support/workerd.ts';

/** Beside the configuration, which names the bundle by a relative path. */
const BUNDLE = 'bundle';

interface WorkerdOptions {
  /** The store: `objects` and `slices`. */
  readonly store: string;
  /** Where the key file is, in `objects`. */
  readonly keys: string;
  readonly adminKey: string;
  /** For the bundle and the configuration. */
  readonly scratch: string;
}

export function startBenchWorker(options: WorkerdOptions): Promise<Workerd> {
  bundleByWrangler(join(import.meta.dirname, 'worker.ts'), join(options.scratch, BUNDLE));
  return startWorkerd(options.scratch, configuration(options));
}

function configuration({ store, keys, adminKey }: WorkerdOptions): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "${BUNDLE}/worker.js")],
      compatibilityDate = "${compatibilityDate()}",
      bindings = [
        (name = "STORE", service = "store"),
        (name = "KEYS", service = "keys"),
        (name = "RINGFENCE_ADMIN_KEY", text = ${capnpText(adminKey)})
      ]
    )),
    (name = "store", disk = (path = ${capnpText(resolve(store))}, writable = false)),
    (name = "keys", disk = (path = ${capnpText(resolve(keys))}, writable = false))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`;
}
